-- working.lua: whether the shards of a job are wanted.

-- Returns true while workers may work on shards of the job. A run of an
-- earlier round must not: its shard may hold other objects by now.
local function is_working(record, round)
  local r = redis.call("HMGET", record, 'state', 'fault', 'round')
  return (r[1] == "planning" or r[1] == "running") and not r[2]
    and (r[3] or "0") == round
end
