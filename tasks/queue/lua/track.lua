-- track.lua has reapers look at a job, at first after so many ms. With
-- each = 1 that is later by a moment for each tracked job, so that the
-- looks at jobs that only wait are few a second, however many they are.
--
-- KEYS: active
-- ARGV: job, after, each
-- USES: now
-- Returns 1 if the job is new there, else 0.

local active = unpack(KEYS)
local job, after, each = unpack(ARGV)

local moments = tonumber(each) * redis.call("ZCARD", active)
return redis.call("ZADD", active, now_ms() + tonumber(after) + moments, job)
