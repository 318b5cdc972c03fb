-- hold_cap.lua counts tasks against a cap, each for ttl ms. Without force
-- it takes the tasks only if all fit below the limit. With force = 1 it
-- takes them in any case: they are under way.
--
-- KEYS: cap
-- ARGV: limit, ttl, force, tasks...
-- USES: now
-- Returns 1 if the tasks count, else 0.

local cap = unpack(KEYS)
local limit, ttl, force = unpack(ARGV, 1, 3)

local now = now_ms()
redis.call("ZREMRANGEBYSCORE", cap, "-inf", now)
local more = 0
for i = 4, #ARGV do
  if not redis.call("ZSCORE", cap, ARGV[i]) then
    more = more + 1
  end
end
if force == "0" and more > 0 and redis.call("ZCARD", cap) + more > tonumber(limit) then
  return 0
end
for i = 4, #ARGV do
  redis.call("ZADD", cap, now + tonumber(ttl), ARGV[i])
end
redis.call("PEXPIRE", cap, ttl)
return 1
