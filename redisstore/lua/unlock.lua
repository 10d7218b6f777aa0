-- KEYS value keys. ARGV the fill (8 bytes), then per key its token.
-- Lets go of locks that the fill still has. Returns per key 1 if somebody waits,
-- else 0.
local out = {}
for i, k in ipairs(KEYS) do
  local c = redis.pcall('GETRANGE', k, 0, 33)
  out[i] = 0
  if type(c) == 'string' and string.sub(c, 1, 25) == ARGV[i + 1] .. ARGV[1] then
    if string.sub(c, 34) == '1' then out[i] = 1 end
    redis.call('SETRANGE', k, 25, bytes(0) .. '0')
  end
end
return out
