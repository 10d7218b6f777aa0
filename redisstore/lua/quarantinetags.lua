-- KEYS lane hash, tag keys. ARGV rnd, ttl, channel, verb, payload, id, life, then
-- the hashes of the tags. A writer holds the tags.
for i = 2, #KEYS do
  enter(KEYS[i], ARGV[6], ARGV[1], tonumber(ARGV[7]))
end
open(KEYS[1])
note(KEYS[1], ARGV[1], 8)
return announce(KEYS[1], ARGV[2], ARGV[1], ARGV[3], ARGV[4], ARGV[5])
