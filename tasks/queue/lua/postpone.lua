-- postpone.lua has reapers look at a job again after so many ms, as
-- track.lua does. It changes nothing if the job is not tracked, or was
-- tracked anew since it was listed: then it need not be listed again
-- within so many ms.
--
-- KEYS: active
-- ARGV: job, after, each, again
-- USES: now
-- Returns 1 if the look was postponed, else 0.

local active = unpack(KEYS)
local job, after, each, again = unpack(ARGV)

local now = now_ms()
local next_look = redis.call("ZSCORE", active, job)
if not next_look or tonumber(next_look) > now + tonumber(again) then
  return 0
end
local moments = tonumber(each) * redis.call("ZCARD", active)
redis.call("ZADD", active, now + tonumber(after) + moments, job)
return 1
