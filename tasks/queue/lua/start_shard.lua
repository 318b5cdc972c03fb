-- start_shard.lua gives a shard to a run, with its first heartbeat. The
-- caller may know the payload already: of the record that was created at
-- that time.
--
-- KEYS: record, shards, done, runs, inputs
-- ARGV: index, generation, known
-- USES: now, working
-- Returns {payload, shard, resume, crashes, suspect, strikes, round,
-- created, input}, or {} if the run is not wanted. A known payload is
-- empty.

local record, shards, done, runs, inputs = unpack(KEYS)
local index, generation, known = unpack(ARGV)

local round = redis.call("HGET", record, 'round') or "0"
if not is_working(record, round) or redis.call("GETBIT", done, index) == 1 then
  return {}
end
local shard = redis.call("LINDEX", shards, index)
local r = redis.call("HMGET", runs,
  index .. ':g', index .. ':r', index .. ':c', index .. ':a', index .. ':k')
if not shard or tonumber(r[1] or "0") > tonumber(generation) then
  return {}
end

redis.call("HSET", runs, index .. ':b', now_ms() .. " 0 0 0 0")
local created, payload = redis.call("HGET", record, 'created') or "", ""
if created ~= known or created == "" then
  payload = redis.call("HGET", record, 'payload') or ""
end
local input = redis.call("HGET", inputs, index) or ""
return {payload, shard, r[2] or "", r[3] or "0", r[4] or "", r[5] or "0", round, created, input}
