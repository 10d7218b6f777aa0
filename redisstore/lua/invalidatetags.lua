-- KEYS lane hash, tag keys. ARGV rnd, ttl, then for each tag key the name of its
-- tail, or '' if it has none. Tails are rotated so that fills which learn their
-- tags late are refused.
for i = 2, #KEYS do
  remove(KEYS[i], ARGV[1])
end
local n = nonce(ARGV[1])
for i = 2, #KEYS do
  local name = ARGV[i + 1]
  if name ~= '' and type(redis.pcall('HSET', KEYS[1], name, n)) == 'table' then
    redis.call('DEL', KEYS[1])
    redis.call('HSET', KEYS[1], name, n)
  end
end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return #KEYS - 1
