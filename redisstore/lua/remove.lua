-- KEYS value keys. ARGV rnd. Invalidates without a message, which has to follow.
for _, k in ipairs(KEYS) do
  remove(k, ARGV[1])
end
return #KEYS
