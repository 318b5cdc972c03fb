-- fail_shard.lua notes why a shard can never be done. The coordinator ends
-- the job with the first note.
--
-- KEYS: record
-- ARGV: failure
-- Returns 1, or 0 if the job does not want its shards or has a note.

local record = unpack(KEYS)
local failure = unpack(ARGV)

local state = redis.call("HGET", record, 'state')
if state ~= "planning" and state ~= "running" then
  return 0
end
return redis.call("HSETNX", record, 'fault', failure)
