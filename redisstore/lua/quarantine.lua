-- KEYS value keys. ARGV rnd, ttl, id of the writer (16 bytes). A message has to
-- follow.
for _, k in ipairs(KEYS) do
  enter(k, ARGV[3], ARGV[1], tonumber(ARGV[2]))
end
return #KEYS
