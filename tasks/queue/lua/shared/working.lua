-- working.lua: whether the shards of a job are wanted.

-- Returns true while workers may work on shards of the job.
local function is_working(record)
  local r = redis.call("HMGET", record, 'state', 'fault')
  return (r[1] == "planning" or r[1] == "running") and not r[2]
end
