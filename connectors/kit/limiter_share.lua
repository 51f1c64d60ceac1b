-- Other software uses the account too: our share of a limit shrinks on a refusal, and on what the vendor says is left.
-- KEYS[1] the account's pace; KEYS[2..] one for each limit.  ARGV[1] 'refused' or 'left'; ARGV[2] ms since the refused call had leave, or what
-- is left; then name, kind, rate/s, burst, seconds for each limit.  Kept in the pace of each limit: share, at (its last growth), cut, calls since.
-- A call that left before the last cut says nothing of the pace since.  Of a limit less than half used a refusal says that we counted wrong,
-- not that we are too fast: a bucket is emptied.  What is left counts when it is LOW and others took part of it, once in the time that a cut needs to show.
local CUT, LEAST, LOW, HALF = 0.9, 0.1, 0.05, 0.5
local HOUR = 3600000
local clock = redis.call('TIME')
local now = tonumber(clock[1]) * 1000 + tonumber(clock[2]) / 1000
local what, said = ARGV[1], tonumber(ARGV[2])

local function cut(name)
  local saved = redis.call('HMGET', KEYS[1], 'share:' .. name, 'at:' .. name)
  local share = saved[1] and math.min(1, tonumber(saved[1]) + (now - tonumber(saved[2])) / HOUR) or 1
  share = math.max(LEAST, share * CUT)
  redis.call('HSET', KEYS[1], 'share:' .. name, share, 'at:' .. name, now, 'cut:' .. name, now, 'calls:' .. name, 0)
  if redis.call('PTTL', KEYS[1]) < HOUR then redis.call('PEXPIRE', KEYS[1], HOUR) end
end

local function last_cut(name) return tonumber(redis.call('HGET', KEYS[1], 'cut:' .. name) or '0') end

local function share_of(name) return tonumber(redis.call('HGET', KEYS[1], 'share:' .. name) or '1') end

-- Of a bucket: how much was used, what is left if nobody else used it, and the time (ms) that a cut needs to show. Of a window the same.
local function bucket(key, rate, burst, seconds)
  local saved = redis.call('HMGET', key, 'level', 'whole')
  local level = tonumber(saved[1]) or 0
  return 1 - level / burst, tonumber(saved[2]) or level, burst / rate * 500, level
end

local function window(key, rate, burst, seconds, share)
  local used = math.max(0, redis.call('ZCOUNT', key, now - seconds * 1000, now))
  return used / (burst * share), burst - used, seconds * 1000
end

local function concurrency(key, rate, burst, seconds, share)
  return redis.call('ZCOUNT', key, now, '(+inf') / math.ceil(burst * share)
end

local kinds = {bucket = bucket, points = bucket, window = window, concurrency = concurrency}

local function refused(name, key, used, kind)
  if now - said <= last_cut(name) then return end
  if used >= HALF then cut(name) end
  if kind == 'bucket' and redis.call('EXISTS', key) == 1 then redis.call('HSET', key, 'level', 0, 'at', now) end
end

-- What is left is of its answer's moment: what a bucket had gained since its last call is part of it.
local function left(name, key, whole, shows, burst, level, rate)
  if level then
    local gained = math.max(0, now - (tonumber(redis.call('HGET', key, 'at')) or now)) * rate / 1000
    if math.min(burst, level + gained) > said then redis.call('HSET', key, 'level', said, 'at', now) end
  end
  if said < burst * LOW and whole - said > burst * LOW / 2 and now - last_cut(name) > shows then cut(name) end
end

for i = 2, #KEYS do
  local a = (i - 2) * 5 + 3
  local name, kind, rate, burst, seconds = ARGV[a], ARGV[a + 1], tonumber(ARGV[a + 2]), tonumber(ARGV[a + 3]), tonumber(ARGV[a + 4])
  local used, whole, shows, level = kinds[kind](KEYS[i], rate, burst, seconds, share_of(name))
  if what == 'refused' then refused(name, KEYS[i], used, kind) else left(name, KEYS[i], whole, shows, burst, level, rate) end
end
return 1
