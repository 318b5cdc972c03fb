-- run.lua: whether a run of a shard may still write.
--
-- USES: working

-- Returns false if the job has ended, the shard is done, or a later
-- generation has the shard. What such a run wrote would stay for ever, or
-- hide how its successor does.
local function is_current_run(record, done, runs, index, generation)
  return is_working(record)
    and redis.call("GETBIT", done, index) == 0
    and tonumber(redis.call("HGET", runs, index .. ':g') or "0") <= tonumber(generation)
end
