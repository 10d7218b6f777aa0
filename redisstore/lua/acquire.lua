-- KEYS value keys. ARGV rnd, ttl, the fill (8 bytes) and for how many milliseconds
-- it locks, 0 if it does not; then per key the header that the client read and
-- rejected, which nobody can use any more: it is replaced; with a leading '!', it
-- was no entry at all; then anything if the token is to be a write in any case,
-- one that replicas can be waited for with.
-- Returns per key a header (the token of the fill), one of a token and behind it
-- for how many milliseconds another fill has locked it, or a whole value.
local out, life = {}, tonumber(ARGV[4])
for i, k in ipairs(KEYS) do
  local h, seen, ttl = header(k), ARGV[i + 4], redis.call('PTTL', k)
  local known = kind(h) == 'M' or kind(h) == 'Q' or kind(h) == 'V' and h ~= seen
  -- What never expires was not put there by these scripts.
  if #h == 17 and known and ttl >= 0 and seen ~= '!' .. h then
    -- The token must outlive the load.
    if kind(h) ~= 'Q' and ttl < tonumber(ARGV[2]) then
      redis.call('PEXPIRE', k, ARGV[2])
    end
    if kind(h) == 'V' then
      h = redis.call('GET', k)
    elseif kind(h) == 'M' and life > 0 then
      h = h .. lock(k, ARGV[3], life)
    end
    if ARGV[#KEYS + 5] then
      redis.call('APPEND', k, '')
    end
    out[i] = h
  else
    out[i] = 'M' .. nonce(ARGV[1])
    redis.call('SET', k, out[i] .. (life > 0 and locked(ARGV[3], life) .. '0' or ''), 'PX', ARGV[2])
  end
end
return out
