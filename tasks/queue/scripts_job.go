package queue

import "github.com/redis/go-redis/v9"

// Every script may run twice for one call, because go-redis sends again when
// an answer was lost: doing it twice must be the same as doing it once. Time
// that is compared is the server's own, so that no worker's clock matters.

const luaNow = `
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
`

const luaFinal = `
local function final(s) return s == 'succeeded' or s == 'failed' or s == 'cancelled' end
`

// fence starts every script of a coordinator. ARGV[1] is its epoch.
const fence = `
if redis.call('HGET', KEYS[1], 'epoch') ~= ARGV[1] then return redis.error_reply('FENCED') end
`

// fenceOpen is a fence that a job which has ended does not pass either: what
// is written then would never be removed.
const fenceOpen = luaFinal + fence + `
if final(redis.call('HGET', KEYS[1], 'state')) then return redis.error_reply('FENCED') end
`

// createScript makes a record unless there is one. KEYS record; ARGV kind
// payload now ttl.
var createScript = redis.NewScript(luaNow + `
local r = redis.call('HMGET', KEYS[1], 'kind', 'payload', 'state', 'gen', 'queue')
if r[1] then return {r[1], r[2], r[3], r[4] or '0', r[5] or ''} end
redis.call('HSET', KEYS[1], 'kind', ARGV[1], 'payload', ARGV[2], 'state', 'queued', 'created', ARGV[3], 'beat', now, 'queue', ARGV[5])
redis.call('PEXPIRE', KEYS[1], ARGV[4])
return {ARGV[1], ARGV[2], 'queued', '0', ARGV[5]}`)

// beginScript gives the job to a new coordinator: it makes the record of a
// job enqueued without one, and counts the epoch up, which locks earlier
// coordinators out. A task of an earlier generation gets nothing. KEYS
// record; ARGV kind payload now first-state generation token; the token is of
// this call alone.
var beginScript = redis.NewScript(luaNow + luaFinal + `
local s = redis.call('HGET', KEYS[1], 'state')
if final(s) then return {s} end
if tonumber(redis.call('HGET', KEYS[1], 'gen') or '0') > tonumber(ARGV[5]) then return {'superseded'} end
if not s then redis.call('HSET', KEYS[1], 'kind', ARGV[1], 'payload', ARGV[2], 'created', ARGV[3]) end
if not s or s == 'queued' then redis.call('HSET', KEYS[1], 'state', ARGV[4]); s = ARGV[4] end
redis.call('HSETNX', KEYS[1], 'started', ARGV[3])
redis.call('HSET', KEYS[1], 'beat', now)
if ARGV[7] ~= '' then redis.call('HSET', KEYS[1], 'queue', ARGV[7]) end
redis.call('PERSIST', KEYS[1])
if redis.call('HGET', KEYS[1], 'holder') ~= ARGV[6] then
  redis.call('HINCRBY', KEYS[1], 'epoch', 1)
  redis.call('HSET', KEYS[1], 'holder', ARGV[6])
end
local r = redis.call('HMGET', KEYS[1], 'epoch', 'started', 'cursor', 'shards', 'round', 'amends')
return {s, r[1], r[2], r[3] or '', r[4] or '0', r[5] or '0', r[6] or ''}`)

// lookScript is a coordinator's beat: it shows what the coordinator knows and
// tells what others have done. What was shown is not taken back when a worker
// dies. The total is -1 when it is not the coordinator's to set. KEYS record
// done runs; ARGV epoch objects total bytes failed rate eta.
var lookScript = redis.NewScript(fence + luaNow + luaFinal + `
local function show(field, value)
  if tonumber(value) > tonumber(redis.call('HGET', KEYS[1], field) or '0') then redis.call('HSET', KEYS[1], field, value) end;
end
if not final(redis.call('HGET', KEYS[1], 'state')) then
  redis.call('HSET', KEYS[1], 'beat', now, 'rate', ARGV[6], 'eta', ARGV[7])
  show('shown_objects', ARGV[2])
  show('shown_bytes', ARGV[4])
  show('shown_failed', ARGV[5])
  if ARGV[3] ~= '-1' then redis.call('HSET', KEYS[1], 'objects_total', ARGV[3]) end;
end
local r = redis.call('HMGET', KEYS[1], 'state', 'fault', 'objects', 'objects_total', 'bytes', 'failed', 'shards_done', 'shards', 'parts_bytes')
for i = 1, 9 do r[i] = r[i] or '' end
r[10] = tostring(now)
r[11] = redis.call('GET', KEYS[2]) or ''
r[12] = redis.call('HGETALL', KEYS[3])
local shown = redis.call('HMGET', KEYS[1], 'shown_objects', 'shown_bytes', 'shown_failed')
for i = 1, 3 do r[12 + i] = shown[i] or '' end
return r`)

// restScript tells that a coordinator comes back by itself after a while.
// KEYS record; ARGV epoch ms.
var restScript = redis.NewScript(fenceOpen + luaNow + `
return redis.call('HSET', KEYS[1], 'beat', now + tonumber(ARGV[2]))`)

// planScript keeps one planned shard. KEYS record shards; ARGV epoch index
// shard cursor objects.
var planScript = redis.NewScript(fenceOpen + `
if redis.call('LINDEX', KEYS[2], ARGV[2]) == ARGV[3] then return 0 end
local n = redis.call('LLEN', KEYS[2])
if n ~= tonumber(ARGV[2]) then return redis.error_reply('ORDER shard ' .. ARGV[2] .. ' was planned when there were ' .. n) end
redis.call('RPUSH', KEYS[2], ARGV[3])
redis.call('HINCRBY', KEYS[1], 'shards', 1)
redis.call('HINCRBY', KEYS[1], 'objects_total', ARGV[5])
redis.call('HSET', KEYS[1], 'cursor', ARGV[4])
return 1`)

// stepScript moves the job from one state to the next. KEYS record; ARGV
// epoch from to.
var stepScript = redis.NewScript(fenceOpen + `
local s = redis.call('HGET', KEYS[1], 'state')
if s == ARGV[3] then return 0 end
if s ~= ARGV[2] then return redis.error_reply('STATE ' .. tostring(s)) end
redis.call('HSET', KEYS[1], 'state', ARGV[3])
return 1`)

// luaEnd ends a job, once, puts its last event into the outbox in the same
// step, and lets go of what only a running job needs. A retry that did not
// succeed leaves what it was to amend: the result, and the error list to try
// again. KEYS jobKeys.
const luaEnd = luaFinal + `
local function finish(state, now, keep, event)
  redis.call('HSET', KEYS[1], 'state', state, 'finished', now, 'rate', '0', 'eta', '0', 'outbox', event)
  local was = redis.call('HMGET', KEYS[1], 'amends', 'was_failed', 'was_kept')
  if was[1] and state ~= 'succeeded' then
    redis.call('HSET', KEYS[1], 'result', was[1], 'failed', was[2], 'errors_kept', was[3])
    redis.call('RENAME', KEYS[7], KEYS[6])
  end
  redis.call('DEL', KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[7], KEYS[8])
  redis.call('HDEL', KEYS[1], 'amends')
  redis.call('PEXPIRE', KEYS[1], keep)
  redis.call('PEXPIRE', KEYS[6], keep)
end
`

// publishScript ends the job for its coordinator. Numbers of a single job are
// given, those of a sharded one are empty. KEYS jobKeys; ARGV epoch state
// field text now keep event lines nlines objects total bytes failed (code
// count)...
var publishScript = redis.NewScript(fence + luaEnd + `
if final(redis.call('HGET', KEYS[1], 'state')) then return 0 end
redis.call('HSET', KEYS[1], ARGV[3], ARGV[4])
if ARGV[8] ~= '' then redis.call('HSET', KEYS[6], '0', ARGV[8]) end
if ARGV[10] ~= '' then
  redis.call('HSET', KEYS[1], 'objects', ARGV[10], 'objects_total', ARGV[11], 'bytes', ARGV[12], 'failed', ARGV[13], 'errors_kept', ARGV[9])
  for i = 14, #ARGV, 2 do redis.call('HSET', KEYS[1], 'code:' .. ARGV[i], ARGV[i + 1]) end;
end
finish(ARGV[2], ARGV[5], ARGV[6], ARGV[7])
return 1`)

// cancelScript ends a job for anybody, and locks its coordinator out. It
// returns the state that the job had, nothing when there is none, and "round"
// when the event is of another round. KEYS jobKeys; ARGV now keep event round
// token.
var cancelScript = redis.NewScript(luaEnd + `
local r = redis.call('HMGET', KEYS[1], 'state', 'round', 'holder', 'had')
local s = r[1]
if not s then return '' end
if s == 'cancelled' and r[3] == ARGV[5] then return r[4] end
if final(s) then return s end
if (r[2] or '0') ~= ARGV[4] then return 'round' end
redis.call('HINCRBY', KEYS[1], 'epoch', 1)
redis.call('HSET', KEYS[1], 'holder', ARGV[5], 'had', s)
finish('cancelled', ARGV[1], ARGV[2], ARGV[3])
return s`)

// trackScript puts a job among the active ones, as just looked after. KEYS
// active; ARGV job.
var trackScript = redis.NewScript(luaNow + `
return redis.call('ZADD', KEYS[1], now, ARGV[1])`)

// dueScript takes on the jobs that nobody has looked after for so many ms.
// KEYS active; ARGV ms most.
var dueScript = redis.NewScript(luaNow + `
local ids = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now - tonumber(ARGV[1]), 'LIMIT', 0, ARGV[2])
for _, id in ipairs(ids) do redis.call('ZADD', KEYS[1], now, id) end
return ids`)

// inspectScript tells whether a job has to be looked after. KEYS record.
var inspectScript = redis.NewScript(luaNow + `
local r = redis.call('HMGET', KEYS[1], 'kind', 'payload', 'state', 'gen', 'beat', 'outbox', 'created', 'queue')
for i = 1, 8 do r[i] = r[i] or '' end
r[9] = tostring(now)
return r`)

// takeoverScript gives a job whose coordinator does not beat any more to a
// new generation of its task, and counts the crash unless work was committed
// since the last one. KEYS record; ARGV seen-beat generation token; the token
// is of this call alone.
var takeoverScript = redis.NewScript(luaNow + luaFinal + `
local r = redis.call('HMGET', KEYS[1], 'state', 'beat', 'gen', 'cursor', 'parts_bytes', 'objects', 'crash_mark', 'taker', 'crashes')
if not r[1] or final(r[1]) then return -1 end
if r[8] == ARGV[3] then return tonumber(r[9]) end
if tonumber(r[3] or '0') >= tonumber(ARGV[2]) or (r[2] or '') ~= ARGV[1] then return -1 end
local mark = (r[4] or '') .. '|' .. (r[5] or '') .. '|' .. (r[6] or '')
if mark ~= r[7] then redis.call('HSET', KEYS[1], 'crashes', 0, 'crash_mark', mark) end
redis.call('HSET', KEYS[1], 'gen', ARGV[2], 'beat', now, 'taker', ARGV[3])
return redis.call('HINCRBY', KEYS[1], 'crashes', 1)`)

// reopenScript begins a job that has a result again, for the objects of its
// error list. It returns the generation of the new task, also when the round
// has begun already, or an error that names why not. KEYS jobKeys; ARGV
// round.
var reopenScript = redis.NewScript(luaNow + `
local r = redis.call('HMGET', KEYS[1], 'state', 'round', 'failed', 'errors_kept', 'result', 'gen')
if not r[1] then return redis.error_reply('NOJOB') end
if tonumber(r[2] or '0') >= tonumber(ARGV[1]) then return tonumber(r[6] or '0') end
if not r[5] then return redis.error_reply('STATE ' .. r[1]) end
if (r[3] or '0') == '0' then return redis.error_reply('NOTHING') end
if tonumber(r[4] or '0') < tonumber(r[3]) then return redis.error_reply('TRUNCATED') end
redis.call('RENAME', KEYS[6], KEYS[7])
redis.call('PERSIST', KEYS[7])
redis.call('PERSIST', KEYS[1])
for _, f in ipairs(redis.call('HKEYS', KEYS[1])) do
  if string.sub(f, 1, 5) == 'code:' or string.sub(f, 1, 6) == 'tally:' then redis.call('HDEL', KEYS[1], f) end;
end
redis.call('HDEL', KEYS[1], 'started', 'finished', 'cursor', 'shards', 'shards_done', 'objects', 'objects_total', 'bytes', 'failed',
  'errors_kept', 'size', 'parts_bytes', 'fault', 'result', 'shown_objects', 'shown_bytes', 'shown_failed', 'crashes', 'crash_mark', 'rate', 'eta')
redis.call('HINCRBY', KEYS[1], 'epoch', 1)
redis.call('HSET', KEYS[1], 'state', 'queued', 'round', ARGV[1], 'amends', r[5], 'was_failed', r[3], 'was_kept', r[4], 'beat', now)
return redis.call('HINCRBY', KEYS[1], 'gen', 1)`)

// sentScript empties the outbox once its event is in the stream. KEYS record;
// ARGV event.
var sentScript = redis.NewScript(`
if redis.call('HGET', KEYS[1], 'outbox') == ARGV[1] then return redis.call('HDEL', KEYS[1], 'outbox') end
return 0`)
