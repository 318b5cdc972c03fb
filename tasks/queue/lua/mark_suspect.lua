-- mark_suspect.lua notes which object a careful run is about to touch.
--
-- KEYS: record, done, runs
-- ARGV: round, index, generation, suspect
-- USES: run
-- Returns a number without a meaning.

local record, done, runs = unpack(KEYS)
local round, index, generation, suspect = unpack(ARGV)

if not is_current_run(record, done, runs, round, index, generation) then
  return 0
end
if redis.call("HGET", runs, index .. ':a') == suspect then
  return 0
end
return redis.call("HSET", runs, index .. ':a', suspect, index .. ':k', "0")
