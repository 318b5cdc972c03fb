-- unattended.lua lists jobs at which a reaper shall look now, at "most" of
-- them. If their reaper does nothing, they are listed again after so many
-- ms.
--
-- KEYS: active
-- ARGV: again, most
-- USES: now
-- Returns {job, ...}.

local active = unpack(KEYS)
local again, most = unpack(ARGV)

local now = now_ms()
local jobs = redis.call("ZRANGEBYSCORE", active, "-inf", now, "LIMIT", 0, most)
for _, job in ipairs(jobs) do
  redis.call("ZADD", active, now + tonumber(again), job)
end
return jobs
