-- KEYS lane hash, tag keys. ARGV rnd, ttl, channel, verb, payload, then for each
-- tag key the hash of its tag, or '' if it is none.
for i = 2, #KEYS do
  remove(KEYS[i], ARGV[1])
end
open(KEYS[1])
note(KEYS[1], ARGV[1], 6)
return announce(KEYS[1], ARGV[2], ARGV[1], ARGV[3], ARGV[4], ARGV[5])
