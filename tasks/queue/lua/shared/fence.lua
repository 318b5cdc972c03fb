-- fence.lua: only the coordinator with the newest epoch may write.
--
-- USES: final

-- Returns the error FENCED if another coordinator has the job, else nil.
local function check_fence(record, epoch)
  if redis.call("HGET", record, 'epoch') ~= epoch then
    return redis.error_reply("FENCED")
  end
end

-- Like check_fence, and returns the error also if the job has ended:
-- nobody would remove what is written then.
local function check_open_fence(record, epoch)
  if is_final(redis.call("HGET", record, 'state')) then
    return redis.error_reply("FENCED")
  end
  return check_fence(record, epoch)
end
