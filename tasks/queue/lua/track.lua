-- track.lua adds a job to the active ones, as just looked at.
--
-- KEYS: active
-- ARGV: job
-- USES: now
-- Returns 1 if the job is new there, else 0.

local active = unpack(KEYS)
local job = unpack(ARGV)

return redis.call("ZADD", active, now_ms(), job)
