-- take_over.lua gives a job whose coordinator is silent to a new generation
-- of its task. It counts the crash, from 1 on again if anything was planned
-- or committed since the last one. The token belongs to one call, so that
-- sending it again counts once.
--
-- KEYS: record
-- ARGV: seen_heartbeat, generation, token
-- USES: now, final
-- Returns the crashes, or -1 if the job has ended or is looked after.

local record = unpack(KEYS)
local seen_heartbeat, generation, token = unpack(ARGV)

local r = redis.call("HMGET", record, 'state', 'beat', 'gen', 'taker', 'crashes',
  'crash_mark', 'cursor', 'parts_bytes', 'objects')
if not r[1] or is_final(r[1]) then
  return -1
end
if r[4] == token then
  return tonumber(r[5])
end
if tonumber(r[3] or "0") >= tonumber(generation) or (r[2] or "") ~= seen_heartbeat then
  return -1
end

local mark = (r[7] or "") .. "|" .. (r[8] or "") .. "|" .. (r[9] or "")
if mark ~= r[6] then
  redis.call("HSET", record, 'crashes', 0, 'crash_mark', mark)
end
redis.call("HSET", record, 'gen', generation, 'beat', now_ms(), 'taker', token)
return redis.call("HINCRBY", record, 'crashes', 1)
