-- unattended.lua lists jobs that nobody has looked at for so many ms, at
-- "most" of them, and marks them as just looked at.
--
-- KEYS: active
-- ARGV: since, most
-- USES: now
-- Returns {job, ...}.

local active = unpack(KEYS)
local since, most = unpack(ARGV)

local now = now_ms()
local jobs = redis.call("ZRANGEBYSCORE", active, "-inf", now - tonumber(since), "LIMIT", 0, most)
for _, job in ipairs(jobs) do
  redis.call("ZADD", active, now, job)
end
return jobs
