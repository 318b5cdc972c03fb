-- suspend_shard.lua says that a run has ended before its shard was done,
-- and that its task comes back by itself within so many ms.
--
-- KEYS: record, done, runs
-- ARGV: round, index, generation, pause
-- USES: now, run
-- Returns 0 or 1.

local record, done, runs = unpack(KEYS)
local round, index, generation, pause = unpack(ARGV)

if not is_current_run(record, done, runs, round, index, generation) then
  return 0
end
return redis.call("HSET", runs, index .. ':b', (now_ms() + tonumber(pause)) .. " 0 0 0 0")
