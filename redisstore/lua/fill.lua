-- KEYS value keys. ARGV rnd, then per key token, body, px.
-- Stores body if the token is still there. An empty body only asks.
-- Returns per key 1 if the token was there, 3 if somebody waits for what was
-- stored, else 0.
local out = {}
for i, k in ipairs(KEYS) do
  local token, body, px = ARGV[i * 3 - 1], ARGV[i * 3], ARGV[i * 3 + 1]
  out[i] = 0
  if header(k) == token then
    out[i] = 1
    if body ~= '' then
      if kind(token) == 'Q' then
        out[i] = 0
      else
        if kind(token) == 'M' and redis.call('GETRANGE', k, 33, 33) == '1' then
          out[i] = 3
        end
        redis.call('SET', k, 'V' .. nonce(ARGV[1]) .. body, 'PX', px)
      end
    end
  end
end
return out
