-- KEYS value keys. ARGV rnd, id of the writer, then per key body, px.
-- Installs body if the writer was alone and untouched, otherwise leaves no value.
-- Returns per key 1 if the body was installed, else 0.
local id, out = ARGV[2], {}
for i, k in ipairs(KEYS) do
  local body, px = ARGV[i * 2 + 1], ARGV[i * 2 + 2]
  out[i] = 0
  local c = ''
  if kind(header(k)) == 'Q' then c = redis.call('GET', k) end
  local ids = string.sub(c, 19)
  local others = without(ids, id)
  if others ~= '' then
    quarantine(k, others, '1', ARGV[1], redis.call('PTTL', k))
  elseif ids == id and string.sub(c, 18, 18) == '0' and body ~= '' then
    redis.call('SET', k, 'V' .. nonce(ARGV[1]) .. body, 'PX', px)
    out[i] = 1
  else
    redis.call('DEL', k)
  end
end
return out
