-- claim.lua gives a job to a new coordinator. It counts the epoch, which
-- locks earlier coordinators out. It makes the record of a job that was
-- enqueued without one. The task of an earlier generation gets nothing.
--
-- The payload is sent only if the record needs it: "unknown" asks for it.
-- The token belongs to one call, so that sending it again counts once.
--
-- KEYS: record
-- ARGV: kind, has_payload, payload, queue, first_state, generation, token
-- USES: now, final, mark
-- Returns {state}, {"superseded"} or {"unknown"} if the job is not given,
-- else {state, epoch, started, cursor, shards, round, previous result, now,
-- crashes while the job was where it is now}.

local record = unpack(KEYS)
local kind, has_payload, payload, queue, first_state, generation, token = unpack(ARGV)

local state = redis.call("HGET", record, 'state')
if is_final(state) then
  return {state}
end
if tonumber(redis.call("HGET", record, 'gen') or "0") > tonumber(generation) then
  return {"superseded"}
end

local now = now_ms()
if not state then
  if has_payload == "0" then
    return {"unknown"}
  end
  redis.call("HSET", record, 'kind', kind, 'payload', payload, 'created', now)
end
if not state or state == "queued" then
  redis.call("HSET", record, 'state', first_state)
  state = first_state
end
redis.call("HSETNX", record, 'started', now)
redis.call("HSET", record, 'beat', now)
if queue ~= "" then
  redis.call("HSET", record, 'queue', queue)
end
redis.call("PERSIST", record)

if redis.call("HGET", record, 'holder') ~= token then
  redis.call("HINCRBY", record, 'epoch', 1)
  redis.call("HSET", record, 'holder', token)
end

local r = redis.call("HMGET", record, 'epoch', 'started', 'cursor', 'shards', 'round', 'amends',
  'crash_mark', 'crashes')
local crashes = r[7] == crash_mark(record) and r[8] or "0"
return {state, r[1], r[2], r[3] or "", r[4] or "0", r[5] or "0", r[6] or "",
  tostring(now), crashes}
