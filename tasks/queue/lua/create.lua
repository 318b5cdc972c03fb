-- create.lua makes the record of a job, unless there is one. The job's
-- task must wait for so many ms; 0 means that it need not.
--
-- KEYS: record
-- ARGV: kind, payload, queue, ttl, wait
-- USES: now
-- Returns {kind, payload, state, generation, queue, ms to wait} of the
-- record.

local record = unpack(KEYS)
local kind, payload, queue, ttl, wait = unpack(ARGV)
local now = now_ms()

local r = redis.call("HMGET", record, 'kind', 'payload', 'state', 'gen', 'queue', 'due')
if r[1] then
  return {r[1], r[2], r[3], r[4] or "0", r[5] or "",
    tostring(math.max(tonumber(r[6] or "0") - now, 0))}
end

redis.call("HSET", record, 'kind', kind, 'payload', payload, 'queue', queue,
  'state', "queued", 'created', now, 'beat', now)
if wait ~= "0" then
  redis.call("HSET", record, 'due', now + tonumber(wait))
end
redis.call("PEXPIRE", record, ttl)
return {kind, payload, "queued", "0", queue, wait}
