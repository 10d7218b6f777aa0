-- KEYS lane hash. ARGV rnd, ttl, process, the tail it has applied, and '' or the
-- age in milliseconds from which processes are forgotten.
-- Returns the tail. It is a write, so that it fails on a server that may not, or
-- cannot, write any more.
open(KEYS[1])
local t = tail(KEYS[1])
if t == '' then
  t = nonce(ARGV[1]) .. ARGV[1] .. '0'
  redis.call('HSET', KEYS[1], 'tail', t)
end
local now = redis.call('TIME')
now = string.format('%.0f', now[1] * 1000 + math.floor(now[2] / 1000))
redis.call('HSET', KEYS[1], 'm:' .. ARGV[3], now .. ':' .. ARGV[4])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
if ARGV[5] ~= '' then
  local all = redis.call('HGETALL', KEYS[1])
  for i = 1, #all, 2 do
    if string.sub(all[i], 1, 2) == 'm:' then
      local seen = string.match(all[i + 1], '^%d+')
      if not seen or tonumber(seen) + tonumber(ARGV[5]) < tonumber(now) then
        redis.call('HDEL', KEYS[1], all[i])
      end
    end
  end
end
return t
