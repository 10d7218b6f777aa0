-- KEYS value keys. ARGV rnd, ttl, id of the writer (16 bytes).
local ttl = tonumber(ARGV[2])
for _, k in ipairs(KEYS) do
  if kind(header(k)) == 'Q' then
    local c = redis.call('GET', k)
    local ids = string.sub(c, 19)
    if without(ids, ARGV[3]) == ids then -- otherwise this command is a repetition
      quarantine(k, ids .. ARGV[3], '1', ARGV[1], math.max(ttl, redis.call('PTTL', k)))
    end
  else
    quarantine(k, ARGV[3], '0', ARGV[1], ttl)
  end
end
return #KEYS
