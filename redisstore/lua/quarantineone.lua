-- KEYS lane hash, value keys. ARGV rnd, ttl, channel, verb, payload, id of the
-- writer (16 bytes), life. All of a single server in one step.
for i = 2, #KEYS do
  enter(KEYS[i], ARGV[6], ARGV[1], tonumber(ARGV[7]))
end
open(KEYS[1])
return announce(KEYS[1], ARGV[2], ARGV[1], ARGV[3], ARGV[4], ARGV[5])
