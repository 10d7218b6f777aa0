-- KEYS value keys. ARGV rnd.
for _, k in ipairs(KEYS) do
  remove(k, ARGV[1])
end
return #KEYS
