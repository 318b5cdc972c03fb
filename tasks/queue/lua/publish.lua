-- publish.lua ends a job for its coordinator: with a result or a failure,
-- which stand in the given field. A single job brings its counts; of a
-- sharded job "objects" is empty, since its shards have committed them.
--
-- KEYS: record, shards, done, parts, runs, errors, retry, made
-- ARGV: epoch, state, field, text, finished, keep, event, lines, line_count,
--       objects, total, bytes, failed, warnings, codes...
-- USES: final, fence, show, finish
-- Returns 1, or 0 if the job has ended already.

local record, shards, done, parts, runs, errors, retry, made = unpack(KEYS)
local epoch, state, field, text, finished, keep, event, lines, line_count,
  objects, total, bytes, failed, warnings = unpack(ARGV, 1, 14)

local fenced = check_fence(record, epoch)
if fenced then
  return fenced
end
if is_final(redis.call("HGET", record, 'state')) then
  return 0
end

redis.call("HSET", record, field, text)
if lines ~= "" then
  redis.call("HSET", errors, "0", lines)
end
if objects ~= "" then
  redis.call("HSET", record, 'objects', objects, 'objects_total', total, 'bytes', bytes,
    'failed', failed, 'warnings', warnings, 'errors_kept', line_count)
  for i = 15, #ARGV, 2 do
    redis.call("HSET", record, 'code:' .. ARGV[i], ARGV[i + 1])
  end
  show(record, objects, bytes, failed, warnings)
end

finish(record, {
  shards = shards, done = done, parts = parts, runs = runs,
  errors = errors, retry = retry, made = made,
}, state, finished, keep, event)
return 1
