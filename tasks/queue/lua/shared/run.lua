-- run.lua: whether a run of a shard may still write.
--
-- USES: working

-- Returns false if the job has ended or is in another round, the shard is
-- done, or a later generation has it. What such a run wrote would stay for ever, or
-- hide how its successor does.
local function is_current_run(record, done, runs, round, index, generation)
  return is_working(record, round)
    and redis.call("GETBIT", done, index) == 0
    and tonumber(redis.call("HGET", runs, index .. ':g') or "0") <= tonumber(generation)
end
