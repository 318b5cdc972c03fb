package queue

import "github.com/redis/go-redis/v9"

// luaWorking is true while shards may be worked on.
const luaWorking = `
local function working()
  local r = redis.call('HMGET', KEYS[1], 'state', 'fault')
  return (r[1] == 'planning' or r[1] == 'running') and not r[2]
end
`

// startScript gives a shard to a worker, with its first beat. KEYS record
// shards done runs; ARGV index generation.
var startScript = redis.NewScript(luaNow + luaWorking + `
local n = ARGV[1]
if not working() or redis.call('GETBIT', KEYS[3], n) == 1 then return {} end
local shard = redis.call('LINDEX', KEYS[2], n)
local r = redis.call('HMGET', KEYS[4], n .. ':g', n .. ':r', n .. ':c', n .. ':a', n .. ':k')
if not shard or tonumber(r[1] or '0') > tonumber(ARGV[2]) then return {} end
redis.call('HSET', KEYS[4], n .. ':b', now .. ' 0 0 0')
local j = redis.call('HMGET', KEYS[1], 'payload')
return {j[1], shard, r[2] or '', r[3] or '0', r[4] or '', r[5] or '0'}`)

// commitScript keeps what a run did of a shard since key "from", and counts
// it, once: only the first that goes on from there is taken. With "last" the
// shard is done. KEYS record done runs parts errors made; ARGV index from to
// last data lines nlines cap budget objects bytes failed size run (field
// count)...
var commitScript = redis.NewScript(luaWorking + `
local n = ARGV[1]
local done = redis.call('GETBIT', KEYS[2], n) == 1
local at = redis.call('HGET', KEYS[3], n .. ':r') or ''
if (done and ARGV[4] == '1' or not done and ARGV[4] == '0' and at == ARGV[3]) and redis.call('HGET', KEYS[6], n) == ARGV[14] then return 1 end
if done or at ~= ARGV[2] or not working() then return 0 end
local parts = tonumber(redis.call('HGET', KEYS[1], 'parts_bytes') or '0') + #ARGV[5]
if parts > tonumber(ARGV[9]) then return -2 end
if ARGV[5] ~= '' or ARGV[4] == '1' then
  redis.call('HSET', KEYS[4], n, (redis.call('HGET', KEYS[4], n) or '') .. ARGV[5])
  redis.call('HSET', KEYS[1], 'parts_bytes', parts)
end
local kept = tonumber(redis.call('HGET', KEYS[1], 'errors_kept') or '0')
if ARGV[7] ~= '0' and kept < tonumber(ARGV[8]) then
  redis.call('HSET', KEYS[5], n, (redis.call('HGET', KEYS[5], n) or '') .. ARGV[6])
  redis.call('HINCRBY', KEYS[1], 'errors_kept', ARGV[7])
end
for i, field in ipairs({'objects', 'bytes', 'failed', 'size'}) do redis.call('HINCRBY', KEYS[1], field, ARGV[9 + i]) end
for i = 15, #ARGV, 2 do redis.call('HINCRBY', KEYS[1], ARGV[i], ARGV[i + 1]) end
redis.call('HSET', KEYS[6], n, ARGV[14])
if ARGV[4] == '0' then
  redis.call('HSET', KEYS[3], n .. ':r', ARGV[3])
  redis.call('HDEL', KEYS[3], n .. ':c', n .. ':a', n .. ':k')
  local b = redis.call('HGET', KEYS[3], n .. ':b')
  if b then redis.call('HSET', KEYS[3], n .. ':b', string.match(b, '^%d+') .. ' 0 0 0') end
  return 1
end
redis.call('SETBIT', KEYS[2], n, 1)
redis.call('HINCRBY', KEYS[1], 'shards_done', 1)
redis.call('HDEL', KEYS[3], n .. ':b', n .. ':g', n .. ':r', n .. ':c', n .. ':a', n .. ':k')
return 1`)

// beatScript tells that a process still works on shards, and answers whether
// it should. KEYS record done runs; ARGV (index objects bytes failed)...
var beatScript = redis.NewScript(luaNow + luaWorking + `
if not working() then return 0 end
for i = 1, #ARGV, 4 do
  if redis.call('GETBIT', KEYS[2], ARGV[i]) == 0 then
    redis.call('HSET', KEYS[3], ARGV[i] .. ':b', now .. ' ' .. ARGV[i + 1] .. ' ' .. ARGV[i + 2] .. ' ' .. ARGV[i + 3])
  end;
end
return 1`)

// luaMine ends a script whose run has nothing to say any more: what it wrote
// would stay for ever, or hide how its successor fares. KEYS record done
// runs; ARGV index generation.
const luaMine = luaWorking + `
if not working() or redis.call('GETBIT', KEYS[2], ARGV[1]) == 1
  or tonumber(redis.call('HGET', KEYS[3], ARGV[1] .. ':g') or '0') > tonumber(ARGV[2]) then return 0 end
`

// leaveScript tells that a run has ended without the shard being done, and
// that its task comes back by itself within so many ms. KEYS record done
// runs; ARGV index generation ms.
var leaveScript = redis.NewScript(luaNow + luaMine + `
return redis.call('HSET', KEYS[3], ARGV[1] .. ':b', (now + tonumber(ARGV[3])) .. ' 0 0 0')`)

// atScript notes which object a careful run is about to touch. KEYS record
// done runs; ARGV index generation key.
var atScript = redis.NewScript(luaMine + `
local n = ARGV[1]
if redis.call('HGET', KEYS[3], n .. ':a') == ARGV[3] then return 0 end
return redis.call('HSET', KEYS[3], n .. ':a', ARGV[3], n .. ':k', '0')`)

// replaceScript gives a shard to a new generation of its task, unless it has
// beaten since, and counts the crash that is taken for the reason. KEYS
// record runs done; ARGV epoch index generation seen-beat crash.
var replaceScript = redis.NewScript(fenceOpen + `
local n = ARGV[2]
if redis.call('GETBIT', KEYS[3], n) == 1 then return 0 end
if tonumber(redis.call('HGET', KEYS[2], n .. ':g') or '0') >= tonumber(ARGV[3]) then return 1 end
if (redis.call('HGET', KEYS[2], n .. ':b') or '') ~= ARGV[4] then return 0 end
redis.call('HSET', KEYS[2], n .. ':g', ARGV[3])
redis.call('HDEL', KEYS[2], n .. ':b')
if ARGV[5] == '1' then
  redis.call('HINCRBY', KEYS[2], n .. ':c', 1)
  if redis.call('HEXISTS', KEYS[2], n .. ':a') == 1 then redis.call('HINCRBY', KEYS[2], n .. ':k', 1) end;
end
return 1`)

// faultScript notes why a shard cannot be done; the coordinator ends the job.
// KEYS record; ARGV failure.
var faultScript = redis.NewScript(`
local s = redis.call('HGET', KEYS[1], 'state')
if s ~= 'planning' and s ~= 'running' then return 0 end
return redis.call('HSETNX', KEYS[1], 'fault', ARGV[1])`)

// capScript shares a cap out among jobs: it returns how many shards this job
// may have under way. When they want more than there is, each gets an equal
// share, or what it wants if that is less; the first by name get one of what
// is left over. Who holds more than its share gives it up as its shards end,
// and nobody gets what another still holds. KEYS cap; ARGV job have want cap
// ttl-ms.
var capScript = redis.NewScript(luaNow + `
local me, have, left = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[4])
local wants, names, free = {}, {}, left
local all = redis.call('HGETALL', KEYS[1])
for i = 1, #all, 2 do
  local granted, want, till = string.match(all[i + 1], '^(%d+) (%d+) (%d+)$')
  if not till or tonumber(till) < now then redis.call('HDEL', KEYS[1], all[i])
  elseif all[i] ~= me then
    wants[all[i]] = math.max(tonumber(want), tonumber(granted))
    free = free - tonumber(granted)
    table.insert(names, all[i])
  end;
end
wants[me] = math.max(tonumber(ARGV[3]), have)
table.insert(names, me)
table.sort(names, function(a, b) if wants[a] ~= wants[b] then return wants[a] < wants[b] end return a > b end)
local fair = 0
for i, name in ipairs(names) do
  local share = math.min(wants[name], math.floor(left / (#names - i + 1)))
  left = left - share
  if name == me then fair = share end;
end
local grant = math.max(have, math.min(tonumber(ARGV[3]), fair, free), 0)
local till = string.format('%d', now + tonumber(ARGV[5]))
redis.call('HSET', KEYS[1], me, grant .. ' ' .. ARGV[3] .. ' ' .. till)
redis.call('PEXPIRE', KEYS[1], tonumber(ARGV[5]) * 2)
return grant`)
