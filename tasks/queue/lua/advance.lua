-- advance.lua moves a job from one state to the next.
--
-- KEYS: record
-- ARGV: epoch, from, to
-- USES: fence
-- Returns 1, or 0 if the job is in the new state already.

local record = unpack(KEYS)
local epoch, from, to = unpack(ARGV)

local fenced = check_open_fence(record, epoch)
if fenced then
  return fenced
end
local state = redis.call("HGET", record, 'state')
if state == to then
  return 0
end
if state ~= from then
  return redis.error_reply("STATE " .. tostring(state))
end
redis.call("HSET", record, 'state', to)
return 1
