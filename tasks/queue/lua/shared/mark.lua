-- mark.lua: how far a job is, as far as crashes are concerned.

-- Returns a text that changes when the job gets into another state, and
-- when anything was planned or committed.
local function crash_mark(record)
  local r = redis.call("HMGET", record, 'state', 'cursor', 'parts_bytes', 'objects')
  return (r[1] or "") .. "|" .. (r[2] or "") .. "|" .. (r[3] or "") .. "|" .. (r[4] or "")
end
