-- create.lua makes the record of a job, unless there is one.
--
-- KEYS: record
-- ARGV: kind, payload, queue, created, ttl
-- USES: now
-- Returns {kind, payload, state, generation, queue} of the record.

local record = unpack(KEYS)
local kind, payload, queue, created, ttl = unpack(ARGV)

local r = redis.call("HMGET", record, 'kind', 'payload', 'state', 'gen', 'queue')
if r[1] then
  return {r[1], r[2], r[3], r[4] or "0", r[5] or ""}
end

redis.call("HSET", record, 'kind', kind, 'payload', payload, 'queue', queue,
  'state', "queued", 'created', created, 'beat', now_ms())
redis.call("PEXPIRE", record, ttl)
return {kind, payload, "queued", "0", queue}
