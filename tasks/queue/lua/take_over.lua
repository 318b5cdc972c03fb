-- take_over.lua gives a job whose coordinator is silent to a new generation
-- of its task. It counts the crash, from 1 on again if the crash mark has
-- changed since the last one. From the crash "careful" on, only coordinators
-- that ran the job's code carefully count; 0 means that all do. The token
-- belongs to one call, so that sending it again counts once.
--
-- KEYS: record
-- ARGV: seen_heartbeat, generation, careful, token
-- USES: now, final, mark
-- Returns the crashes, or -1 if the job has ended or is looked after.

local record = unpack(KEYS)
local seen_heartbeat, generation, careful, token = unpack(ARGV)

local r = redis.call("HMGET", record, 'state', 'beat', 'gen', 'taker', 'crashes',
  'crash_mark', 'careful', 'epoch')
if not r[1] or is_final(r[1]) then
  return -1
end
if r[4] == token then
  return tonumber(r[5])
end
if tonumber(r[3] or "0") >= tonumber(generation) or (r[2] or "") ~= seen_heartbeat then
  return -1
end

local crashes, mark = tonumber(r[5] or "0"), crash_mark(record)
if mark ~= r[6] then
  crashes = 0
end
local innocent = careful ~= "0" and crashes + 1 >= tonumber(careful) and r[7] ~= r[8]
if not innocent then
  crashes = crashes + 1
end
redis.call("HSET", record, 'gen', generation, 'beat', now_ms(), 'taker', token,
  'crashes', crashes, 'crash_mark', mark)
return crashes
