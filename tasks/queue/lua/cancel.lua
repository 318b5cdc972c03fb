-- cancel.lua ends a job for anybody, and locks its coordinator out. The
-- event is of one round: if another has begun, "round" asks for the event
-- of that one. The token belongs to one call, so that sending it again
-- gives the same answer.
--
-- KEYS: record, shards, done, parts, runs, errors, retry, made, inputs
-- ARGV: ttl, event, round, token
-- USES: now, final, show, finish
-- Returns {state before, queue, generation}, {"round"}, or {} without a
-- record.

local record, shards, done, parts, runs, errors, retry, made, inputs = unpack(KEYS)
local ttl, event, round, token = unpack(ARGV)

local r = redis.call("HMGET", record, 'state', 'round', 'holder', 'had', 'queue', 'gen')
local state, queue, generation = r[1], r[5] or "", r[6] or "0"
if not state then
  return {}
end
if state == "cancelled" and r[3] == token then
  return {r[4], queue, generation}
end
if is_final(state) then
  return {state, queue, generation}
end
if (r[2] or "0") ~= round then
  return {"round"}
end

redis.call("HINCRBY", record, 'epoch', 1)
redis.call("HSET", record, 'holder', token, 'had', state)
finish(record, {
  shards = shards, done = done, parts = parts, runs = runs,
  errors = errors, retry = retry, made = made, inputs = inputs,
}, "cancelled", ttl, event)
return {state, queue, generation}
