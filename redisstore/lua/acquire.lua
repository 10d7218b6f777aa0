-- KEYS value keys. ARGV rnd, ttl, then per key the header that the client read
-- and rejected: not sent again; with a leading '!', it was no entry at all and
-- is replaced; then anything if the token is to be a write in any case, one that
-- replicas can be waited for with.
-- Returns per key a header (the token of the fill) or a whole value.
local out = {}
for i, k in ipairs(KEYS) do
  local h, seen, ttl = header(k), ARGV[i + 2], redis.call('PTTL', k)
  local known = kind(h) == 'M' or kind(h) == 'V' or kind(h) == 'Q'
  -- What never expires was not put there by these scripts.
  if #h == 17 and known and ttl >= 0 and seen ~= '!' .. h then
    -- The token must outlive the load.
    if kind(h) ~= 'Q' and ttl < tonumber(ARGV[2]) then
      redis.call('PEXPIRE', k, ARGV[2])
    end
    if kind(h) == 'V' and h ~= seen then
      h = redis.call('GET', k)
    end
    if ARGV[#KEYS + 3] then
      redis.call('APPEND', k, '')
    end
    out[i] = h
  else
    out[i] = 'M' .. nonce(ARGV[1])
    redis.call('SET', k, out[i], 'PX', ARGV[2])
  end
end
return out
