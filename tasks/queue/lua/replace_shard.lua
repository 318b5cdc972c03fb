-- replace_shard.lua gives a shard to a new generation of its task, unless
-- its run has sent a heartbeat since. With crashed = 1 it counts a crash,
-- and a strike against the object that a careful run was at.
--
-- KEYS: record, runs, done
-- ARGV: epoch, index, generation, seen_heartbeat, crashed
-- USES: fence
-- Returns 1, also if the generation is there already, or 0.

local record, runs, done = unpack(KEYS)
local epoch, index, generation, seen_heartbeat, crashed = unpack(ARGV)

local fenced = check_open_fence(record, epoch)
if fenced then
  return fenced
end
if redis.call("GETBIT", done, index) == 1 then
  return 0
end
if tonumber(redis.call("HGET", runs, index .. ':g') or "0") >= tonumber(generation) then
  return 1
end
if (redis.call("HGET", runs, index .. ':b') or "") ~= seen_heartbeat then
  return 0
end

redis.call("HSET", runs, index .. ':g', generation)
redis.call("HDEL", runs, index .. ':b')
if crashed == "1" then
  redis.call("HINCRBY", runs, index .. ':c', 1)
  if redis.call("HEXISTS", runs, index .. ':a') == 1 then
    redis.call("HINCRBY", runs, index .. ':k', 1)
  end
end
return 1
