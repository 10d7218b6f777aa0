-- KEYS value keys. ARGV rnd, ttl, id of the writer (16 bytes). A message has to
-- follow. Returns per key what enter returns.
local out = {}
for i, k in ipairs(KEYS) do
  out[i] = enter(k, ARGV[3], ARGV[1], tonumber(ARGV[2]))
end
return out
