-- reserve_cap.lua divides a cap among jobs. If they want more than there
-- is, each gets an equal share, or what it wants if that is less; the first
-- by name get one of the rest. A job that holds more than its share gives
-- it up as its shards end, and nobody gets what another still holds. A
-- reservation that is not renewed ends after ttl ms.
--
-- KEYS: cap
-- ARGV: job, have, want, limit, ttl
-- USES: now
-- Returns how many shards the job may have under way.

local cap = unpack(KEYS)
local job, have, want, limit, ttl = unpack(ARGV)
have, want, limit, ttl = tonumber(have), tonumber(want), tonumber(limit), tonumber(ttl)

-- The reservations of the other jobs.
local now = now_ms()
local wants, names, free = {}, {}, limit
local all = redis.call("HGETALL", cap)
for i = 1, #all, 2 do
  local name = all[i]
  local granted, wanted, till = string.match(all[i + 1], "^(%d+) (%d+) (%d+)$")
  if not till or tonumber(till) < now then
    redis.call("HDEL", cap, name)
  elseif name ~= job then
    wants[name] = math.max(tonumber(wanted), tonumber(granted))
    free = free - tonumber(granted)
    table.insert(names, name)
  end
end
wants[job] = math.max(want, have)
table.insert(names, job)

-- Those who want least come first: what they leave is for the others.
table.sort(names, function(a, b)
  if wants[a] ~= wants[b] then
    return wants[a] < wants[b]
  end
  return a > b
end)
local fair, left = 0, limit
for i, name in ipairs(names) do
  local share = math.min(wants[name], math.floor(left / (#names - i + 1)))
  left = left - share
  if name == job then
    fair = share
  end
end

local grant = math.max(have, math.min(want, fair, free), 0)
redis.call("HSET", cap, job, grant .. " " .. want .. " " .. string.format("%d", now + ttl))
redis.call("PEXPIRE", cap, ttl * 2)
return grant
