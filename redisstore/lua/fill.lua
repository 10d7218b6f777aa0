-- KEYS value keys, and on a single server keys of tags behind them. ARGV rnd, then per
-- value key token, body, px.
-- Stores body if the token is still there. An empty body only asks.
-- Returns per value key 1 if the token was there, 3 if somebody waits for what was
-- stored, else 0; then per tag key its header.
local function fill(k, token, body, px)
  if header(k) ~= token then return 0 end
  if body == '' then return 1 end
  if kind(token) == 'Q' then return 0 end
  local waits = kind(token) == 'M' and redis.call('GETRANGE', k, 33, 33) == '1'
  redis.call('SET', k, 'V' .. nonce(ARGV[1]) .. body, 'PX', px)
  return waits and 3 or 1
end

local out, values = {}, (#ARGV - 1) / 3
for i, k in ipairs(KEYS) do
  out[i] = i > values and header(k) or fill(k, ARGV[i * 3 - 1], ARGV[i * 3], ARGV[i * 3 + 1])
end
return out
