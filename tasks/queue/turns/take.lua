-- take.lua takes a task off one of asynq's queues. It takes, in this order
-- of importance, a task
--
--   1. of an owner who has the fewest tasks of the queue under way,
--   2. of an owner whose last turn is longest ago,
--   3. of a job that has the fewest tasks of the queue under way,
--   4. of a job whose last turn is longest ago,
--   5. that has waited longest.
--
-- An owner is a tenant ("t:acme") or a job without a tenant ("j:ID"). What
-- is taken has the same state in asynq as after asynq's own script (v0.26,
-- internal/rdb.dequeueCmd).
--
-- KEYS: pending, paused, active, lease, served, answer
-- ARGV: now, lease, prefix, token, look, wanted, from, limit, denied,
--       denied..., then owners and how many tasks of other queues each has
--       under way. Times are in seconds. With look = 1 the task stays.
-- Returns {} if no task waits, {"held"} if none of those that wait may be
-- taken, else {"found", message, id, tenant, type, payload}.

local pending, paused, active, lease, served, answer = unpack(KEYS)
local now, lease_time, prefix, token, look, wanted, from, limit, denied_count = unpack(ARGV, 1, 9)
now, limit, denied_count = tonumber(now), tonumber(limit), tonumber(denied_count)

-- read_task returns the type and the payload of a task. Its message is a
-- protobuf whose fields 1 and 2 hold them.
local function read_task(message)
  local at = 1
  local function number()
    local n, scale = 0, 1
    while at <= #message do
      local byte = string.byte(message, at)
      at = at + 1
      n = n + byte % 128 * scale
      if byte < 128 then
        return n
      end
      scale = scale * 128
    end
    return 0
  end
  local found = {"", ""}
  local fixed = {[1] = 8, [5] = 4}
  while at <= #message do
    local tag = number()
    local field, wire = math.floor(tag / 8), tag % 8
    if wire == 2 then
      local size = number()
      if field == 1 or field == 2 then
        found[field] = string.sub(message, at, at + size - 1)
      end
      at = at + size
    elseif wire == 0 then
      number()
    else
      at = at + (fixed[wire] or #message)
    end
  end
  return found[1], found[2]
end

-- read_tenant returns the tenant that a payload names, or "".
local function read_tenant(message)
  local _, payload = read_task(message)
  local ok, value = pcall(cjson.decode, payload)
  local tenant = ok and type(value) == "table" and value["tenant"]
  if type(tenant) == "string" and #tenant <= 64 then
    return tenant
  end
  return ""
end

-- owner_of returns the owner and the job of a task. What it read is kept
-- with the task, and goes with it.
local tenants = {}
local function owner_of(id)
  local job = string.match(id, "^[^:]*")
  local tenant = tenants[job]
  if not tenant then
    tenant = redis.call("HGET", prefix .. id, "tenant")
    if not tenant then
      local message = redis.call("HGET", prefix .. id, "msg")
      tenant = message and read_tenant(message) or ""
      if message then
        redis.call("HSET", prefix .. id, "tenant", tenant)
      end
    end
    tenants[job] = tenant
  end
  return tenant == "" and "j:" .. job or "t:" .. tenant, "j:" .. job
end

local function found(id)
  local message = redis.call("HGET", prefix .. id, "msg") or ""
  owner_of(id)
  return {"found", message, id, tenants[string.match(id, "^[^:]*")], read_task(message)}
end

-- The answer to this very call was lost.
local last_token, last_id = string.match(redis.call("GET", answer) or "", "^(%S+) (.*)$")
if last_token == token and redis.call("ZSCORE", lease, last_id) then
  return found(last_id)
end
if redis.call("EXISTS", paused) == 1 then
  return {}
end

local denied, held, last_turn = {}, {}, {}
for i = 10, 9 + denied_count do
  denied[ARGV[i]] = true
end
for i = 10 + denied_count, #ARGV, 2 do
  held[ARGV[i]] = tonumber(ARGV[i + 1])
end
for _, id in ipairs(redis.call("ZRANGEBYSCORE", lease, now, "+inf", "LIMIT", 0, 1000)) do
  local owner, job = owner_of(id)
  held[owner] = (held[owner] or 0) + 1
  if owner ~= job then
    held[job] = (held[job] or 0) + 1
  end
end

local function turn_of(name)
  last_turn[name] = last_turn[name] or tonumber(redis.call("ZSCORE", served, name) or "0")
  return last_turn[name]
end

local best, best_rank
local function consider(id, owner, job)
  local rank = {held[owner] or 0, turn_of(owner), held[job] or 0, turn_of(job)}
  if best then
    for i = 1, #rank do
      if rank[i] > best_rank[i] then
        return
      elseif rank[i] < best_rank[i] then
        break
      elseif i == #rank then
        return
      end
    end
  end
  best, best_rank = id, rank
end

-- scan considers the oldest task of each job, from the end of the list on.
local seen = {}
local function scan(first, last)
  local ids = redis.call("LRANGE", pending, first, last)
  for i = #ids, 1, -1 do
    local owner, job = owner_of(ids[i])
    if not seen[job] and not denied[owner] and not denied[job] then
      seen[job] = true
      consider(ids[i], owner, job)
      if best_rank[1] == 0 and best_rank[2] == 0 then
        return -- there is nobody who comes before an owner without any turn
      end
    end
  end
end

-- Of a long queue this looks at the oldest tasks, at the newest ones, and
-- at a part that is another one at each call.
local length = redis.call("LLEN", pending)
if length == 0 then
  return {}
end
if wanted ~= "" then
  best = redis.call("LPOS", pending, wanted, "RANK", -1) and wanted
else
  scan(-limit, -1)
  if length > limit and not (best and best_rank[1] == 0 and best_rank[2] == 0) then
    scan(0, math.floor(limit / 4))
    local part = tonumber(from) % length
    scan(part, part + limit)
  end
end
if not best then
  return {"held"}
end
if redis.call("HEXISTS", prefix .. best, "msg") == 0 then
  redis.call("LREM", pending, 0, best) -- asynq has lost the task itself
  return {"held"}
end
if look == "1" then
  return found(best)
end

redis.call("LREM", pending, -1, best)
redis.call("LPUSH", active, best)
redis.call("HSET", prefix .. best, "state", "active")
redis.call("HDEL", prefix .. best, "pending_since")
redis.call("ZADD", lease, now + tonumber(lease_time), best)

local owner, job = owner_of(best)
local latest = redis.call("ZREVRANGE", served, 0, 0, "WITHSCORES")
local turn = tonumber(latest[2] or "0") + 1
redis.call("ZADD", served, turn, owner)
redis.call("ZADD", served, turn, job)
redis.call("ZREMRANGEBYRANK", served, 0, -5001)
redis.call("EXPIRE", served, 86400)
redis.call("SET", answer, token .. " " .. best, "EX", 60)
return found(best)
