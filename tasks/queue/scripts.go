package queue

import "github.com/redis/go-redis/v9"

// The keys of one job share its hash tag, so that a script may touch them together on a cluster too.
func recordKey(id string) string { return "stevedore:{" + id + "}:job" }
func shardsKey(id string) string { return "stevedore:{" + id + "}:shards" } // LIST of planned shards, by index
func doneKey(id string) string   { return "stevedore:{" + id + "}:done" }   // BITMAP of committed shards
func partsKey(id string) string  { return "stevedore:{" + id + "}:parts" }  // HASH shard -> part
func errorsKey(id string) string { return "stevedore:{" + id + "}:errors" } // HASH shard -> lines of the error list

// Every script may run twice for one call, because go-redis sends again when an answer was lost: doing it twice must be
// the same as doing it once.

// createScript makes a record unless there is one. KEYS record; ARGV kind payload now ttl.
var createScript = redis.NewScript(`
local r = redis.call('HMGET', KEYS[1], 'kind', 'payload', 'state')
if r[1] then return r end
redis.call('HSET', KEYS[1], 'kind', ARGV[1], 'payload', ARGV[2], 'state', 'queued', 'created', ARGV[3])
redis.call('PEXPIRE', KEYS[1], ARGV[4])
return {ARGV[1], ARGV[2], 'queued'}`)

// beginScript gives the job to a new coordinator: it makes the record of a job enqueued without one, and counts the epoch
// up, which locks earlier coordinators out. KEYS record; ARGV kind payload now first-state.
var beginScript = redis.NewScript(`
local s = redis.call('HGET', KEYS[1], 'state')
if s == 'succeeded' or s == 'failed' or s == 'cancelled' then return {s} end
if not s then redis.call('HSET', KEYS[1], 'kind', ARGV[1], 'payload', ARGV[2], 'created', ARGV[3]) end
if not s or s == 'queued' then redis.call('HSET', KEYS[1], 'state', ARGV[4]); s = ARGV[4] end
redis.call('HSETNX', KEYS[1], 'started', ARGV[3])
redis.call('PERSIST', KEYS[1])
local epoch = redis.call('HINCRBY', KEYS[1], 'epoch', 1)
local r = redis.call('HMGET', KEYS[1], 'started', 'cursor', 'shards')
return {s, tostring(epoch), r[1], r[2] or '', r[3] or '0'}`)

// fence starts every script of a coordinator. ARGV[1] is its epoch.
const fence = `
if redis.call('HGET', KEYS[1], 'epoch') ~= ARGV[1] then return redis.error_reply('FENCED') end
`

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

// commitScript counts a shard once: the first part wins. KEYS record done parts errors; ARGV index part lines nlines cap
// objects bytes failed.
var commitScript = redis.NewScript(`
local s = redis.call('HGET', KEYS[1], 'state')
if s ~= 'planning' and s ~= 'running' then return -1 end
if redis.call('SETBIT', KEYS[2], ARGV[1], 1) == 1 then return 0 end
redis.call('HSET', KEYS[3], ARGV[1], ARGV[2])
local kept = tonumber(redis.call('HGET', KEYS[1], 'errors_kept') or '0')
if ARGV[4] ~= '0' and kept < tonumber(ARGV[5]) then
  redis.call('HSET', KEYS[4], ARGV[1], ARGV[3])
  redis.call('HINCRBY', KEYS[1], 'errors_kept', ARGV[4])
end
redis.call('HINCRBY', KEYS[1], 'objects', ARGV[6])
redis.call('HINCRBY', KEYS[1], 'bytes', ARGV[7])
redis.call('HINCRBY', KEYS[1], 'failed', ARGV[8])
redis.call('HINCRBY', KEYS[1], 'shards_done', 1)
return 1`)

// faultScript notes why a shard cannot be done; the coordinator ends the job. KEYS record; ARGV failure.
var faultScript = redis.NewScript(`
local s = redis.call('HGET', KEYS[1], 'state')
if s ~= 'planning' and s ~= 'running' then return 0 end
return redis.call('HSETNX', KEYS[1], 'fault', ARGV[1])`)

// progressScript sets the counts of a single job. KEYS record; ARGV epoch objects total bytes failed.
var progressScript = redis.NewScript(fence + `
redis.call('HSET', KEYS[1], 'objects', ARGV[2], 'objects_total', ARGV[3], 'bytes', ARGV[4], 'failed', ARGV[5])
return 1`)

// publishScript ends the job, once, and lets go of what only a running job needs. KEYS record shards done parts errors;
// ARGV epoch state field text now keep lines.
var publishScript = redis.NewScript(fence + `
local s = redis.call('HGET', KEYS[1], 'state')
if s == 'succeeded' or s == 'failed' or s == 'cancelled' then return 0 end
redis.call('HSET', KEYS[1], 'state', ARGV[2], ARGV[3], ARGV[4], 'finished', ARGV[5])
if ARGV[7] ~= '' then redis.call('HSET', KEYS[5], '0', ARGV[7]) end
redis.call('DEL', KEYS[2], KEYS[3], KEYS[4])
redis.call('PEXPIRE', KEYS[1], ARGV[6])
redis.call('PEXPIRE', KEYS[5], ARGV[6])
return 1`)
