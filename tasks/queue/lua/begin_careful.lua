-- begin_careful.lua notes that a coordinator begins to run a job's code
-- carefully. If its worker dies now, that counts as the job's fault.
--
-- KEYS: record
-- ARGV: epoch
-- USES: fence
-- Returns a number without a meaning.

local record = unpack(KEYS)
local epoch = unpack(ARGV)

local fenced = check_open_fence(record, epoch)
if fenced then
  return fenced
end
return redis.call("HSET", record, 'careful', epoch)
