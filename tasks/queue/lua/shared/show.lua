-- show.lua: the one filter that keeps the shown progress from falling.

-- Raises the progress that readers see to these counts. A count that is
-- lower than the shown one changes nothing.
local function show(record, objects, bytes, failed, warnings)
  local shown = redis.call("HMGET", record,
    'shown_objects', 'shown_bytes', 'shown_failed', 'shown_warnings')
  local function raise(field, old, new)
    if new and tonumber(new) > tonumber(old or "0") then
      redis.call("HSET", record, field, new)
    end
  end
  raise('shown_objects', shown[1], objects)
  raise('shown_bytes', shown[2], bytes)
  raise('shown_failed', shown[3], failed)
  raise('shown_warnings', shown[4], warnings)
end
