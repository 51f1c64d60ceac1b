-- Ask leave for one call: every limit must agree, or nothing is taken and the time to wait (ms) is answered.
-- KEYS[1] the account's pace; KEYS[2..] one for each limit.  ARGV[1] the holder; then name, kind, rate/s, burst, seconds, cost for each limit.
-- A limit whose key is missing starts EMPTY: an emptied Redis grants no second burst. -1 asks the caller to recount a daily quota.
-- The pace is a hash: `until` when nobody calls (ms), and of a limit that other software uses too what limiter_share.lua keeps.
-- GROWTH for each call granted, twice that after STEADY calls without a refusal, and so on: back in a few hundred calls, or in HOUR ms.
local GROWTH, STEADY, HOUR = 0.0005, 25, 3600000
local clock = redis.call('TIME')
local now = tonumber(clock[1]) * 1000 + tonumber(clock[2]) / 1000
local wait, takes, pace = 0, {}, {}

local function later(ms) if ms > wait then wait = ms end end

local kept = redis.call('HGETALL', KEYS[1])
for i = 1, #kept, 2 do pace[kept[i]] = tonumber(kept[i + 1]) end

-- Our share of a limit now; 1 where nobody else was met.
local function share_of(name)
  local share = pace['share:' .. name]
  return share and math.min(1, share + (now - pace['at:' .. name]) / HOUR) or 1
end

local function grow(name, share)
  local calls = (pace['calls:' .. name] or 0) + 1
  share = share + GROWTH * (1 + calls / STEADY)
  if share < 1 then
    redis.call('HSET', KEYS[1], 'share:' .. name, share, 'at:' .. name, now, 'calls:' .. name, calls)
  else
    redis.call('HDEL', KEYS[1], 'share:' .. name, 'at:' .. name, 'calls:' .. name, 'cut:' .. name)
  end
end

-- `whole` is what would be left if nobody else used it: the vendor's word against it tells what others took.
local function bucket(key, rate, burst, seconds, cost, share)
  local saved = redis.call('HMGET', key, 'level', 'at', 'whole')
  local level = tonumber(saved[1]) or 0
  local at = tonumber(saved[2]) or now
  local whole = tonumber(saved[3]) or level
  if now > at then level, whole = level + (now - at) * rate * share / 1000, whole + (now - at) * rate / 1000 end
  level, whole = math.min(burst, level), math.min(burst, whole)
  local price = math.min(cost, burst)
  if level < price then later((price - level) / (rate * share) * 1000 + 1) end
  redis.call('HSET', key, 'level', level, 'at', now, 'whole', whole)
  return function() redis.call('HSET', key, 'level', level - price, 'whole', whole - price) end
end

local function window(key, rate, burst, seconds, cost, share)
  local span = seconds * 1000
  if redis.call('EXISTS', key) == 0 then
    redis.call('ZADD', key, '+inf', 'kept')
    for i = 1, burst do redis.call('ZADD', key, now - span * (i - 1) / burst, 'cold' .. i) end
  end
  redis.call('ZREMRANGEBYSCORE', key, '-inf', now - span)
  local used = redis.call('ZCARD', key) - 1
  local over = used + cost - math.max(cost, math.floor(burst * share))
  if over > 0 then
    local oldest = redis.call('ZRANGE', key, over - 1, over - 1, 'WITHSCORES')
    later(tonumber(oldest[2]) + span - now + 1)
  end
  return function()
    for i = 1, cost do redis.call('ZADD', key, now, ARGV[1] .. ':' .. i) end
  end
end

local function concurrency(key, rate, burst, seconds, cost, share)
  local hold = seconds * 1000
  if redis.call('EXISTS', key) == 0 then
    redis.call('ZADD', key, '+inf', 'kept')
    for i = 1, burst do redis.call('ZADD', key, now + hold, 'cold' .. i) end
  end
  redis.call('ZREMRANGEBYSCORE', key, '-inf', now)
  if redis.call('ZCARD', key) - 1 >= math.ceil(burst * share) then later(25) end
  return function() redis.call('ZADD', key, now + hold, ARGV[1]) end
end

local function daily(key, rate, burst, seconds, cost)
  local day = math.floor((now / 1000 - seconds) / 86400)
  local saved = redis.call('HMGET', key, 'day', 'used')
  if not saved[1] then return nil end
  local used = tonumber(saved[1]) == day and tonumber(saved[2]) or 0
  if used + cost > burst then later(((day + 1) * 86400 + seconds) * 1000 - now) end
  return function() redis.call('HSET', key, 'day', day, 'used', used + cost) end
end

local kinds = {bucket = bucket, points = bucket, window = window, concurrency = concurrency, daily = daily}
local blocked = pace['until'] or 0
if blocked > now then later(blocked - now) end
for i = 2, #KEYS do
  local a = (i - 2) * 6 + 2
  local name, share = ARGV[a], share_of(ARGV[a])
  local take = kinds[ARGV[a + 1]](KEYS[i], tonumber(ARGV[a + 2]), tonumber(ARGV[a + 3]), tonumber(ARGV[a + 4]), tonumber(ARGV[a + 5]), share)
  if not take then return {-1, i - 2} end
  takes[#takes + 1] = take
  if share < 1 then takes[#takes + 1] = function() grow(name, share) end end
end
if wait <= 0 then
  for _, take in ipairs(takes) do take() end
end
return {math.ceil(wait), 0}
