-- codes.lua: the counts of errors by their code.

-- Adds to the count of failed objects with a code. Servers may invent
-- codes, so all codes after the first 50 count as "other".
local function count_code(record, field, n)
  if redis.call("HEXISTS", record, field) == 0 then
    if tonumber(redis.call("HGET", record, 'codes') or "0") >= 50 then
      field = 'code:' .. "other"
    else
      redis.call("HINCRBY", record, 'codes', 1)
    end
  end
  redis.call("HINCRBY", record, field, n)
end
