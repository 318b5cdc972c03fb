-- inspect.lua reads what tells whether a job has a live coordinator.
--
-- KEYS: record
-- USES: now
-- Returns {now, kind, payload, state, generation, heartbeat, created,
-- queue, due}, with empty strings for what is missing.

local record = unpack(KEYS)

local r = redis.call("HMGET", record,
  'kind', 'payload', 'state', 'gen', 'beat', 'created', 'queue', 'due')
for i = 1, 8 do
  r[i] = r[i] or ""
end
return {tostring(now_ms()), unpack(r)}
