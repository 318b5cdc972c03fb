-- begin_retry.lua begins a job that has ended again. A job that has a
-- result works on the objects of its error list; any other begins as if
-- it was new. The script removes the given fields, which belong to the
-- round before. Two of them are prefixes and end with a colon.
--
-- KEYS: record, errors, retry
-- ARGV: round, fields...
-- USES: now, final
-- Returns {state, payload, queue, generation}, also if the round has begun
-- already, or an error that says why not.

local record, errors, retry = unpack(KEYS)
local round = unpack(ARGV, 1, 1)

local r = redis.call("HMGET", record, 'state', 'round', 'failed', 'errors_kept', 'result',
  'outbox', 'payload', 'queue', 'gen', 'warnings')
local state, failed, kept, result = r[1], r[3] or "0", r[4] or "0", r[5]

if not state then
  return redis.error_reply("NOJOB")
end
if tonumber(r[2] or "0") >= tonumber(round) then
  return {state, r[7], r[8] or "", r[9] or "0"}
end
if not is_final(state) then
  return redis.error_reply("STATE " .. state)
end
if result and failed == "0" then
  return redis.error_reply("NOTHING")
end
if result and tonumber(kept) < tonumber(failed) then
  return redis.error_reply("TRUNCATED")
end
if r[6] then
  return redis.error_reply("OUTBOX")
end

if result then
  redis.call("RENAME", errors, retry)
  redis.call("PERSIST", retry)
else
  redis.call("DEL", errors)
end
redis.call("PERSIST", record)
for i = 2, #ARGV do
  redis.call("HDEL", record, ARGV[i])
end
for _, field in ipairs(redis.call("HKEYS", record)) do
  for i = 2, #ARGV do
    if string.sub(ARGV[i], -1) == ":" and string.sub(field, 1, #ARGV[i]) == ARGV[i] then
      redis.call("HDEL", record, field)
    end
  end
end

redis.call("HINCRBY", record, 'epoch', 1)
redis.call("HSET", record, 'state', "queued", 'round', round, 'beat', now_ms())
if result then
  redis.call("HSET", record, 'amends', result, 'was_failed', failed, 'was_kept', kept,
    'was_warnings', r[10] or "0")
end
local generation = redis.call("HINCRBY", record, 'gen', 1)
return {"queued", r[7], r[8] or "", tostring(generation)}
