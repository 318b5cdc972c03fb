-- publish.lua ends a job for its coordinator: with a result or a failure,
-- which stand in the given field. A single job brings its counts; of a
-- sharded job "objects" is empty, since its shards have committed them.
--
-- KEYS: record, shards, done, parts, runs, errors, retry, made, inputs
-- ARGV: epoch, state, field, text, ttl, event, lines, line_count,
--       objects, total, bytes, failed, warnings, budget, codes...
-- USES: now, final, fence, show, finish, keep, codes
-- Returns 1, 0 if the job has ended already, or -2 if the result does not
-- fit into the budget of what the job keeps in Redis.

local record, shards, done, parts, runs, errors, retry, made, inputs = unpack(KEYS)
local epoch, state, field, text, ttl, event, lines, line_count,
  objects, total, bytes, failed, warnings, budget = unpack(ARGV, 1, 14)

local fenced = check_fence(record, epoch)
if fenced then
  return fenced
end
if is_final(redis.call("HGET", record, 'state')) then
  return 0
end

-- A failure always fits: its texts are short.
if field == 'result' and not keep(record, #text, budget) then
  return -2
end
redis.call("HSET", record, field, text)
if not may_keep_lines(record, #lines, budget) then
  lines, line_count = "", "0"
end
if lines ~= "" then
  redis.call("HSET", errors, "0", lines)
end
if objects ~= "" then
  redis.call("HSET", record, 'objects', objects, 'objects_total', total, 'bytes', bytes,
    'failed', failed, 'warnings', warnings, 'errors_kept', line_count)
  for i = 15, #ARGV, 2 do
    count_code(record, 'code:' .. ARGV[i], ARGV[i + 1])
  end
  show(record, objects, bytes, failed, warnings)
end

finish(record, {
  shards = shards, done = done, parts = parts, runs = runs,
  errors = errors, retry = retry, made = made, inputs = inputs,
}, state, ttl, event)
return 1
