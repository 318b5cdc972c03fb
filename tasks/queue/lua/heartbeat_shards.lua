-- heartbeat_shards.lua says that a process still works on shards of a job
-- in a round. Each run is index, objects, bytes, failed, warnings, counted
-- since its last checkpoint.
--
-- KEYS: record, done, runs
-- ARGV: round, runs...
-- USES: now, working
-- Returns 1 if the job wants its shards, 0 if every run must stop.

local record, done, runs = unpack(KEYS)
local round = unpack(ARGV, 1, 1)

if not is_working(record, round) then
  return 0
end
local now = now_ms()
for i = 2, #ARGV, 5 do
  local index = ARGV[i]
  if redis.call("GETBIT", done, index) == 0 then
    redis.call("HSET", runs, index .. ':b',
      now .. " " .. table.concat(ARGV, " ", i + 1, i + 4))
  end
end
return 1
