-- now.lua: the time of the server, so that no worker's clock matters.

-- Returns milliseconds since 1970.
local function now_ms()
  local t = redis.call("TIME")
  return t[1] * 1000 + math.floor(t[2] / 1000)
end
