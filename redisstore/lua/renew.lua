-- KEYS value keys. ARGV the fill (8 bytes), for how many milliseconds from now it
-- locks, then per key its token. Locks that the fill still has live on; one that it
-- has let go of does not come back. Returns per key 1 if the fill has the lock, else 0.
local out = {}
for i, k in ipairs(KEYS) do
  local c = redis.pcall('GETRANGE', k, 0, 32)
  out[i] = 0
  if type(c) == 'string' and string.sub(c, 1, 25) == ARGV[i + 2] .. ARGV[1] and string.sub(c, 26) ~= bytes(0) then
    redis.call('SETRANGE', k, 25, bytes(now() + tonumber(ARGV[2])))
    out[i] = 1
  end
end
return out
