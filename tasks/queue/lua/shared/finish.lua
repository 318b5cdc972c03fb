-- finish.lua: the end of a job, for publish.lua and cancel.lua.
--
-- USES: now, final, show

-- Ends a job, whose record then stays for ttl ms, and puts its last event
-- into the outbox in the same step.
-- Removes what only a running job needs. A retry that did not succeed
-- gets back what it was to improve: the result and the error list.
local function finish(record, keys, state, ttl, event)
  redis.call("HSET", record, 'state', state, 'finished', now_ms(),
    'rate', "0", 'eta', "0", 'outbox', event)

  local previous = redis.call("HMGET", record, 'amends', 'was_failed', 'was_kept',
    'was_warnings')
  if previous[1] and state ~= "succeeded" then
    redis.call("HSET", record, 'result', previous[1],
      'failed', previous[2], 'errors_kept', previous[3], 'warnings', previous[4] or "0")
    show(record, nil, nil, previous[2], previous[4])
    redis.call("RENAME", keys.retry, keys.errors)
  end

  redis.call("DEL", keys.shards, keys.done, keys.parts, keys.runs, keys.retry, keys.made,
    keys.inputs)
  redis.call("HDEL", record, 'amends')
  redis.call("PEXPIRE", record, ttl)
  redis.call("PEXPIRE", keys.errors, ttl)
end
