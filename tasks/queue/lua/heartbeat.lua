-- heartbeat.lua says that a coordinator is alive and how far its job is,
-- and reads what the workers have done. total is -1 if planning counts
-- the objects.
--
-- KEYS: record, done, runs
-- ARGV: epoch, objects, total, bytes, failed, warnings, rate, eta
-- USES: now, final, fence, show
-- Returns {now, done bits, runs, state, shard failure, total, shards done,
-- shards, parts bytes, kept bytes, then committed and shown objects, bytes, failed,
-- warnings}.

local record, done, runs = unpack(KEYS)
local epoch, objects, total, bytes, failed, warnings, rate, eta = unpack(ARGV)

local fenced = check_fence(record, epoch)
if fenced then
  return fenced
end

local now = now_ms()
if not is_final(redis.call("HGET", record, 'state')) then
  redis.call("HSET", record, 'beat', now, 'rate', rate, 'eta', eta)
  if total ~= "-1" then
    redis.call("HSET", record, 'objects_total', total)
  end

  -- For a moment an object can be reported twice: as committed and as
  -- under way.
  local known = redis.call("HGET", record, 'objects_total') or "0"
  if tonumber(known) > 0 and tonumber(objects) > tonumber(known) then
    objects = known
  end
  show(record, objects, bytes, failed, warnings)
end

local r = redis.call("HMGET", record,
  'state', 'fault', 'objects_total', 'shards_done', 'shards', 'parts_bytes',
  'kept_bytes',
  'objects', 'bytes', 'failed', 'warnings',
  'shown_objects', 'shown_bytes', 'shown_failed', 'shown_warnings')
for i = 1, 15 do
  r[i] = r[i] or ""
end
return {tostring(now), redis.call("GET", done) or "", redis.call("HGETALL", runs), unpack(r)}
