-- Ask leave for one call: every limit must agree, or nothing is taken and the time to wait (ms) is answered.
-- KEYS[1] block-until; KEYS[2..] one for each limit.  ARGV[1] the holder; then kind, rate/s, burst, seconds, cost for each limit.
-- A limit whose key is missing starts EMPTY: an emptied Redis grants no second burst. -1 asks the caller to recount a daily quota.
local clock = redis.call('TIME')
local now = tonumber(clock[1]) * 1000 + tonumber(clock[2]) / 1000
local wait, takes = 0, {}

local function later(ms) if ms > wait then wait = ms end end

local function bucket(key, rate, burst, seconds, cost)
  local saved = redis.call('HMGET', key, 'level', 'at')
  local level = tonumber(saved[1]) or 0
  local at = tonumber(saved[2]) or now
  if now > at then level = level + (now - at) * rate / 1000 end
  level = math.min(burst, level)
  local price = math.min(cost, burst)
  if level < price then later((price - level) / rate * 1000 + 1) end
  redis.call('HSET', key, 'level', level, 'at', now)
  return function() redis.call('HSET', key, 'level', level - price) end
end

local function window(key, rate, burst, seconds, cost)
  local span = seconds * 1000
  if redis.call('EXISTS', key) == 0 then
    redis.call('ZADD', key, '+inf', 'kept')
    for i = 1, burst do redis.call('ZADD', key, now - span * (i - 1) / burst, 'cold' .. i) end
  end
  redis.call('ZREMRANGEBYSCORE', key, '-inf', now - span)
  local used = redis.call('ZCARD', key) - 1
  local over = used + cost - burst
  if over > 0 then
    local oldest = redis.call('ZRANGE', key, over - 1, over - 1, 'WITHSCORES')
    later(tonumber(oldest[2]) + span - now + 1)
  end
  return function()
    for i = 1, cost do redis.call('ZADD', key, now, ARGV[1] .. ':' .. i) end
  end
end

local function concurrency(key, rate, burst, seconds, cost)
  local hold = seconds * 1000
  if redis.call('EXISTS', key) == 0 then
    redis.call('ZADD', key, '+inf', 'kept')
    for i = 1, burst do redis.call('ZADD', key, now + hold, 'cold' .. i) end
  end
  redis.call('ZREMRANGEBYSCORE', key, '-inf', now)
  if redis.call('ZCARD', key) - 1 >= burst then later(25) end
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
local blocked = tonumber(redis.call('GET', KEYS[1]) or '0')
if blocked > now then later(blocked - now) end
for i = 2, #KEYS do
  local a = (i - 2) * 5 + 2
  local take = kinds[ARGV[a]](KEYS[i], tonumber(ARGV[a + 1]), tonumber(ARGV[a + 2]), tonumber(ARGV[a + 3]), tonumber(ARGV[a + 4]))
  if not take then return {-1, i - 2} end
  takes[#takes + 1] = take
end
if wait <= 0 then
  for _, take in ipairs(takes) do take() end
end
return {math.ceil(wait), 0}
