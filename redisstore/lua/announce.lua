-- KEYS lane hash. ARGV rnd, ttl, channel, verb, payload.
open(KEYS[1])
return announce(KEYS[1], ARGV[2], ARGV[1], ARGV[3], ARGV[4], ARGV[5])
