-- KEYS lane hash, value keys. ARGV rnd, ttl, channel, verb, payload, life, id of
-- the writer (16 bytes). All of a single server in one step.
-- Returns what announce returns, then per key what enter does.
local out = {}
for i = 2, #KEYS do
  out[i] = enter(KEYS[i], ARGV[7], ARGV[1], tonumber(ARGV[6]))
end
open(KEYS[1])
out[1] = announce(KEYS[1], ARGV[2], ARGV[1], ARGV[3], ARGV[4], ARGV[5])
return out
