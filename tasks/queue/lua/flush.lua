-- flush.lua empties the outbox of a job if it still holds the event, which
-- is in the stream now.
--
-- KEYS: record
-- ARGV: event
-- Returns the state of the job, or an empty string without a record.

local record = unpack(KEYS)
local event = unpack(ARGV)

local r = redis.call("HMGET", record, 'outbox', 'state')
if event ~= "" and r[1] == event then
  redis.call("HDEL", record, 'outbox')
end
return r[2] or ""
