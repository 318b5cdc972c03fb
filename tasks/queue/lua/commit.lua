-- commit.lua saves what a run did of a shard after the key "from", and
-- counts it, once: only the first checkpoint that goes on from there
-- counts. With last = 1 the shard is done, and its input is freed.
--
-- KEYS: record, done, runs, parts, errors, made, inputs
-- ARGV: round, index, from, to, last, data, lines, line_count, line_limit, budget,
--       objects, bytes, failed, warnings, size, run, tallies...
-- USES: working, show, keep, codes
-- Returns 1 if the checkpoint counts or has counted before, 0 if it does
-- not count, -2 if the job would keep more in Redis than its budget.

local record, done, runs, parts, errors, made, inputs = unpack(KEYS)
local round, index, from, to, last, data, lines, line_count, line_limit, budget,
  objects, bytes, failed, warnings, size, run = unpack(ARGV, 1, 16)

local is_done = redis.call("GETBIT", done, index) == 1
local resume = redis.call("HGET", runs, index .. ':r') or ""

-- The last checkpoint of this very run was sent again.
local stands = last == "1" and is_done or last == "0" and not is_done and resume == to
if stands and redis.call("HGET", made, index) == run then
  return 1
end
if is_done or resume ~= from or not is_working(record, round) then
  return 0
end

local freed = redis.call("HSTRLEN", inputs, index)
if last == "1" and freed > 0 then
  redis.call("HINCRBY", record, 'input_bytes', -freed)
  redis.call("HDEL", inputs, index)
end
local kept = tonumber(redis.call("HGET", record, 'errors_kept') or "0")
if line_count ~= "0" and
    (kept >= tonumber(line_limit) or not may_keep_lines(record, #lines, budget)) then
  lines, line_count = "", "0"
end
if not keep(record, #data + #lines, budget) then
  return -2
end

local function append(hash, frames)
  redis.call("HSET", hash, index, (redis.call("HGET", hash, index) or "") .. frames)
end
if data ~= "" or last == "1" then
  append(parts, data)
  redis.call("HINCRBY", record, 'parts_bytes', #data)
end
if line_count ~= "0" then
  append(errors, lines)
  redis.call("HINCRBY", record, 'errors_kept', line_count)
  redis.call("HINCRBY", record, 'errors_bytes', #lines)
end

redis.call("HINCRBY", record, 'objects', objects)
redis.call("HINCRBY", record, 'bytes', bytes)
redis.call("HINCRBY", record, 'failed', failed)
redis.call("HINCRBY", record, 'warnings', warnings)
redis.call("HINCRBY", record, 'size', size)
for i = 17, #ARGV, 2 do
  if string.sub(ARGV[i], 1, 5) == 'code:' then
    count_code(record, ARGV[i], ARGV[i + 1])
  else
    redis.call("HINCRBY", record, ARGV[i], ARGV[i + 1])
  end
end
local committed = redis.call("HMGET", record, 'objects', 'bytes', 'failed', 'warnings')
show(record, unpack(committed))
redis.call("HSET", made, index, run)

if last == "0" then
  redis.call("HSET", runs, index .. ':r', to)
  redis.call("HDEL", runs, index .. ':c', index .. ':a', index .. ':k')
  local heartbeat = redis.call("HGET", runs, index .. ':b')
  if heartbeat then
    redis.call("HSET", runs, index .. ':b', string.match(heartbeat, "^%d+") .. " 0 0 0 0")
  end
  return 1
end
redis.call("SETBIT", done, index, 1)
redis.call("HINCRBY", record, 'shards_done', 1)
redis.call("HDEL", runs, index .. ':b', index .. ':g', index .. ':r',
  index .. ':c', index .. ':a', index .. ':k')
return 1
