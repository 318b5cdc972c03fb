-- fail_shard.lua notes why a shard can never be done. The coordinator ends
-- the job with the first note.
--
-- KEYS: record
-- ARGV: round, failure
-- USES: working
-- Returns 1, or 0 if the job does not want its shards or has a note.

local record = unpack(KEYS)
local round, failure = unpack(ARGV)

if not is_working(record, round) then
  return 0
end
return redis.call("HSETNX", record, 'fault', failure)
