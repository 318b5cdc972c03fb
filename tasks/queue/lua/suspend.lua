-- suspend.lua says that a job's task comes back by itself after a pause of
-- so many ms. Until then nobody takes the job over.
--
-- KEYS: record
-- ARGV: epoch, pause
-- USES: now, fence
-- Returns 0.

local record = unpack(KEYS)
local epoch, pause = unpack(ARGV)

local fenced = check_open_fence(record, epoch)
if fenced then
  return fenced
end
return redis.call("HSET", record, 'beat', now_ms() + tonumber(pause))
