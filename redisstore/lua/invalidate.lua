-- KEYS lane hash, value keys. ARGV rnd, ttl, channel, verb, payload.
for i = 2, #KEYS do
  remove(KEYS[i], ARGV[1])
end
open(KEYS[1])
return announce(KEYS[1], ARGV[2], ARGV[1], ARGV[3], ARGV[4], ARGV[5])
