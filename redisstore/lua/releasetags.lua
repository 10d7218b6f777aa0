-- KEYS lane hash, tag keys. ARGV rnd, ttl, channel, verb, payload, id, then the
-- hashes of the tags. Noted once more: a load that began while the writer held
-- the tags, and learns them now, may have seen the old value.
for i = 2, #KEYS do
  leave(KEYS[i], ARGV[6], ARGV[1], '', '', 0)
end
open(KEYS[1])
note(KEYS[1], ARGV[1], 7)
return announce(KEYS[1], ARGV[2], ARGV[1], ARGV[3], ARGV[4], ARGV[5])
