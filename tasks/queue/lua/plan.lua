-- plan.lua adds one planned shard to a job.
--
-- KEYS: record, shards
-- ARGV: epoch, index, shard, cursor, objects
-- USES: fence
-- Returns 1, or 0 if the shard is there already.

local record, shards = unpack(KEYS)
local epoch, index, shard, cursor, objects = unpack(ARGV)

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

redis.call("RPUSH", shards, shard)
redis.call("HINCRBY", record, 'shards', 1)
redis.call("HINCRBY", record, 'objects_total', objects)
redis.call("HSET", record, 'cursor', cursor)
return 1
