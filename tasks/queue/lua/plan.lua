-- plan.lua adds one planned shard to a job, and its input if there is
-- room for it. A limit of 0 is none.
--
-- KEYS: record, shards, inputs
-- ARGV: epoch, index, shard, input, cursor, objects, max_objects, budget
-- USES: fence, keep
-- Returns 1, 0 if the shard is there already, -2 if the job would exceed
-- its budget, -3 if it would have too many objects.

local record, shards, inputs = unpack(KEYS)
local epoch, index, shard, input, cursor, objects, max_objects, budget = unpack(ARGV)

local fenced = check_open_fence(record, epoch)
if fenced then
  return fenced
end
if redis.call("LINDEX", shards, index) == shard then
  return 0
end
local n = redis.call("LLEN", shards)
if n ~= tonumber(index) then
  return redis.error_reply("ORDER shard " .. index .. " was planned when there were " .. n)
end

local total = tonumber(redis.call("HGET", record, 'objects_total') or "0") + tonumber(objects)
if max_objects ~= "0" and total > tonumber(max_objects) then
  return -3
end
-- What else Redis keeps for a shard takes about 200 bytes: its token, its
-- last heartbeat, and its place in four keys.
if not keep(record, #shard + 200, budget) then
  return -2
end
if input ~= "" and may_keep_input(record, #input, budget) then
  redis.call("HSET", inputs, index, input)
  redis.call("HINCRBY", record, 'input_bytes', #input)
end

redis.call("RPUSH", shards, shard)
redis.call("HINCRBY", record, 'shards', 1)
redis.call("HINCRBY", record, 'objects_total', objects)
redis.call("HSET", record, 'cursor', cursor)
return 1
