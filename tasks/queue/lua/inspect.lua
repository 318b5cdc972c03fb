-- inspect.lua reads what tells whether a job has a live coordinator.
--
-- KEYS: record
-- USES: now
-- Returns {now, kind, state, generation, heartbeat, created, queue, due},
-- with empty strings for what is missing.

local record = unpack(KEYS)

local r = redis.call("HMGET", record,
  'kind', 'state', 'gen', 'beat', 'created', 'queue', 'due')
for i = 1, 7 do
  r[i] = r[i] or ""
end
return {tostring(now_ms()), unpack(r)}
