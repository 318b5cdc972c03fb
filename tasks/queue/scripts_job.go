package queue

import "github.com/redis/go-redis/v9"

// Every script may run twice for one call, because go-redis sends again when an answer was lost: doing it twice must be
// the same as doing it once. Time that is compared is the server's own, so that no worker's clock matters.

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

// createScript makes a record unless there is one. KEYS record; ARGV kind payload now ttl.
var createScript = redis.NewScript(`
local r = redis.call('HMGET', KEYS[1], 'kind', 'payload', 'state', 'gen')
if r[1] then return {r[1], r[2], r[3], r[4] or '0'} end
redis.call('HSET', KEYS[1], 'kind', ARGV[1], 'payload', ARGV[2], 'state', 'queued', 'created', ARGV[3])
redis.call('PEXPIRE', KEYS[1], ARGV[4])
return {ARGV[1], ARGV[2], 'queued', '0'}`)

// beginScript gives the job to a new coordinator: it makes the record of a job enqueued without one, and counts the epoch
// up, which locks earlier coordinators out. A task of an earlier generation gets nothing. KEYS record; ARGV kind payload
// now first-state generation.
var beginScript = redis.NewScript(luaNow + luaFinal + `
local s = redis.call('HGET', KEYS[1], 'state')
if final(s) then return {s} end
if tonumber(redis.call('HGET', KEYS[1], 'gen') or '0') > tonumber(ARGV[5]) then return {'superseded'} end
if not s then redis.call('HSET', KEYS[1], 'kind', ARGV[1], 'payload', ARGV[2], 'created', ARGV[3]) end
if not s or s == 'queued' then redis.call('HSET', KEYS[1], 'state', ARGV[4]); s = ARGV[4] end
redis.call('HSETNX', KEYS[1], 'started', ARGV[3])
redis.call('HSET', KEYS[1], 'beat', now)
redis.call('PERSIST', KEYS[1])
local epoch = redis.call('HINCRBY', KEYS[1], 'epoch', 1)
local r = redis.call('HMGET', KEYS[1], 'started', 'cursor', 'shards', 'round', 'amends')
return {s, tostring(epoch), r[1], r[2] or '', r[3] or '0', r[4] or '0', r[5] or ''}`)

// lookScript is a coordinator's beat: it shows what the coordinator knows and tells what others have done. The total is -1
// when it is not the coordinator's to set. KEYS record done runs; ARGV epoch objects total bytes failed rate eta.
var lookScript = redis.NewScript(fence + luaNow + `
redis.call('HSET', KEYS[1], 'beat', now, 'shown_objects', ARGV[2], 'shown_bytes', ARGV[4], 'shown_failed', ARGV[5], 'rate', ARGV[6], 'eta', ARGV[7])
if ARGV[3] ~= '-1' then redis.call('HSET', KEYS[1], 'objects_total', ARGV[3]) end
local r = redis.call('HMGET', KEYS[1], 'state', 'fault', 'objects', 'objects_total', 'bytes', 'failed', 'shards_done', 'shards', 'parts_bytes')
for i = 1, 9 do r[i] = r[i] or '' end
r[10] = tostring(now)
r[11] = redis.call('GET', KEYS[2]) or ''
r[12] = redis.call('HGETALL', KEYS[3])
return r`)

// restScript tells that a coordinator comes back by itself after a while. KEYS record; ARGV epoch ms.
var restScript = redis.NewScript(fence + luaNow + `
return redis.call('HSET', KEYS[1], 'beat', now + tonumber(ARGV[2]))`)

// planScript keeps one planned shard. KEYS record shards; ARGV epoch index shard cursor objects.
var planScript = redis.NewScript(fence + `
if redis.call('LINDEX', KEYS[2], ARGV[2]) == ARGV[3] then return 0 end
if redis.call('LLEN', KEYS[2]) ~= tonumber(ARGV[2]) then return redis.error_reply('FENCED') end
redis.call('RPUSH', KEYS[2], ARGV[3])
redis.call('HINCRBY', KEYS[1], 'shards', 1)
redis.call('HINCRBY', KEYS[1], 'objects_total', ARGV[5])
redis.call('HSET', KEYS[1], 'cursor', ARGV[4])
return 1`)

// stepScript moves the job from one state to the next. KEYS record; ARGV epoch from to.
var stepScript = redis.NewScript(fence + `
local s = redis.call('HGET', KEYS[1], 'state')
if s == ARGV[3] then return 0 end
if s ~= ARGV[2] then return redis.error_reply('STATE ' .. tostring(s)) end
redis.call('HSET', KEYS[1], 'state', ARGV[3])
return 1`)

// luaEnd ends a job, once, puts its last event into the outbox in the same step, and lets go of what only a running job
// needs. KEYS jobKeys.
const luaEnd = luaFinal + `
local function finish(state, now, keep, event)
  redis.call('HSET', KEYS[1], 'state', state, 'finished', now, 'rate', '0', 'eta', '0', 'outbox', event)
  redis.call('DEL', KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[7])
  redis.call('HDEL', KEYS[1], 'amends')
  redis.call('PEXPIRE', KEYS[1], keep)
  redis.call('PEXPIRE', KEYS[6], keep)
end
`

// publishScript ends the job for its coordinator. Numbers of a single job are given, those of a sharded one are ”. KEYS
// jobKeys; ARGV epoch state field text now keep event lines objects total bytes failed (code count)...
var publishScript = redis.NewScript(fence + luaEnd + `
if final(redis.call('HGET', KEYS[1], 'state')) then return 0 end
redis.call('HSET', KEYS[1], ARGV[3], ARGV[4])
if ARGV[8] ~= '' then redis.call('HSET', KEYS[6], '0', ARGV[8]) end
if ARGV[9] ~= '' then
  redis.call('HSET', KEYS[1], 'objects', ARGV[9], 'objects_total', ARGV[10], 'bytes', ARGV[11], 'failed', ARGV[12])
  for i = 13, #ARGV, 2 do redis.call('HSET', KEYS[1], 'code:' .. ARGV[i], ARGV[i + 1]) end
end
finish(ARGV[2], ARGV[5], ARGV[6], ARGV[7])
return 1`)

// cancelScript ends a job for anybody, and locks its coordinator out. It returns the state that the job had. KEYS jobKeys;
// ARGV now keep event.
var cancelScript = redis.NewScript(luaEnd + `
local s = redis.call('HGET', KEYS[1], 'state')
if not s then return '' end
if final(s) then return s end
redis.call('HINCRBY', KEYS[1], 'epoch', 1)
finish('cancelled', ARGV[1], ARGV[2], ARGV[3])
return s`)

// inspectScript tells whether a job has to be looked after. KEYS record.
var inspectScript = redis.NewScript(luaNow + `
local r = redis.call('HMGET', KEYS[1], 'kind', 'payload', 'state', 'gen', 'beat', 'outbox', 'created')
for i = 1, 7 do r[i] = r[i] or '' end
r[8] = tostring(now)
return r`)

// takeoverScript gives a job whose coordinator does not beat any more to a new generation of its task, and counts the crash
// unless work was committed since the last one. KEYS record; ARGV seen-beat generation.
var takeoverScript = redis.NewScript(luaNow + luaFinal + `
local r = redis.call('HMGET', KEYS[1], 'state', 'beat', 'gen', 'cursor', 'parts_bytes', 'objects', 'crash_mark')
if final(r[1]) then return -1 end
if tonumber(r[3] or '0') >= tonumber(ARGV[2]) then return tonumber(redis.call('HGET', KEYS[1], 'crashes') or '0') end
if r[2] ~= ARGV[1] then return -1 end
local mark = (r[4] or '') .. '|' .. (r[5] or '') .. '|' .. (r[6] or '')
if mark ~= r[7] then redis.call('HSET', KEYS[1], 'crashes', 0, 'crash_mark', mark) end
redis.call('HSET', KEYS[1], 'gen', ARGV[2], 'beat', now)
return redis.call('HINCRBY', KEYS[1], 'crashes', 1)`)

// reopenScript begins an ended job again for the objects of its error list. KEYS jobKeys; ARGV round now event-less.
// It returns the generation of the new task, or an error that names why not.
var reopenScript = redis.NewScript(luaFinal + `
local r = redis.call('HMGET', KEYS[1], 'state', 'round', 'failed', 'errors_kept', 'result', 'gen')
if not r[1] then return redis.error_reply('NOJOB') end
if r[1] == 'queued' and (r[2] or '0') == ARGV[1] then return tonumber(r[6]) end
if r[1] ~= 'succeeded' then return redis.error_reply('STATE ' .. r[1]) end
if (r[3] or '0') == '0' then return redis.error_reply('NOTHING') end
if tonumber(r[4] or '0') < tonumber(r[3]) then return redis.error_reply('TRUNCATED') end
redis.call('RENAME', KEYS[6], KEYS[7])
redis.call('PERSIST', KEYS[7])
redis.call('PERSIST', KEYS[1])
for _, f in ipairs(redis.call('HKEYS', KEYS[1])) do
  if string.sub(f, 1, 5) == 'code:' or string.sub(f, 1, 6) == 'tally:' then redis.call('HDEL', KEYS[1], f) end
end
redis.call('HDEL', KEYS[1], 'started', 'finished', 'cursor', 'shards', 'shards_done', 'objects', 'objects_total', 'bytes', 'failed',
  'errors_kept', 'size', 'parts_bytes', 'fault', 'result', 'shown_objects', 'shown_bytes', 'shown_failed', 'crashes', 'crash_mark', 'outbox', 'beat')
redis.call('HSET', KEYS[1], 'state', 'queued', 'round', ARGV[1], 'amends', r[5])
return redis.call('HINCRBY', KEYS[1], 'gen', 1)`)

// sentScript empties the outbox once its event is in the stream. KEYS record; ARGV event.
var sentScript = redis.NewScript(`
if redis.call('HGET', KEYS[1], 'outbox') == ARGV[1] then return redis.call('HDEL', KEYS[1], 'outbox') end
return 0`)
