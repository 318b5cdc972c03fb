-- keep.lua: the one budget for what a job keeps in Redis.

-- Counts bytes that the job is about to keep. Returns false, and counts
-- nothing, if they do not fit into the budget; 0 means no budget.
local function keep(record, bytes, budget)
  local r = redis.call("HMGET", record, 'kept_bytes', 'parts_bytes', 'input_bytes')
  local kept = r[1]
  if not kept then -- the payload: in the record and in the task
    kept = 2 * #(redis.call("HGET", record, 'payload') or "") + tonumber(r[2] or "0")
  end
  kept = tonumber(kept) + bytes
  if budget ~= "0" and kept + tonumber(r[3] or "0") > tonumber(budget) then
    return false
  end
  redis.call("HSET", record, 'kept_bytes', string.format("%d", kept))
  return true
end

-- Returns true if lines of so many bytes may be kept of the error list:
-- it gets at most an eighth of the budget. The lines beyond are counted
-- alone.
local function may_keep_lines(record, bytes, budget)
  local kept = tonumber(redis.call("HGET", record, 'errors_bytes') or "0")
  return budget == "0" or 8 * (kept + bytes) <= tonumber(budget)
end

-- Returns true if so many more bytes may be kept of the inputs of shards
-- that are not done: they get at most a quarter of the budget. A shard
-- beyond is planned without its input.
local function may_keep_input(record, bytes, budget)
  local r = redis.call("HMGET", record, 'kept_bytes', 'input_bytes')
  local inputs = tonumber(r[2] or "0") + bytes
  return budget == "0" or
    4 * inputs <= tonumber(budget) and tonumber(r[1] or "0") + inputs <= tonumber(budget)
end
