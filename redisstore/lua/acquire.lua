-- KEYS value keys. ARGV rnd, ttl, then per key the header that the client read
-- and rejected: not sent again; with a leading '!', it was no entry at all and
-- is replaced.
-- Returns per key a header (the token of the fill) or a whole value.
local out = {}
for i, k in ipairs(KEYS) do
  local h, seen = header(k), ARGV[i + 2]
  local known = kind(h) == 'M' or kind(h) == 'V' or kind(h) == 'Q'
  if #h == 17 and known and seen ~= '!' .. h then
    -- The token must outlive the load.
    if kind(h) ~= 'Q' and redis.call('PTTL', k) < tonumber(ARGV[2]) then
      redis.call('PEXPIRE', k, ARGV[2])
    end
    if kind(h) == 'V' and h ~= seen then
      h = redis.call('GET', k)
    end
    out[i] = h
  else
    out[i] = 'M' .. nonce(ARGV[1])
    redis.call('SET', k, out[i], 'PX', ARGV[2])
  end
end
return out
