-- KEYS lane hash, tag keys. ARGV rnd, ttl.
-- The tail is rotated so that fills which learn their tags late are refused.
for i = 2, #KEYS do
  remove(KEYS[i], ARGV[1])
end
local n = nonce(ARGV[1])
if type(redis.pcall('HSET', KEYS[1], 'ttail', n)) == 'table' then
  redis.call('DEL', KEYS[1])
  redis.call('HSET', KEYS[1], 'ttail', n)
end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return #KEYS - 1
