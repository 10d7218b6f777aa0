-- KEYS lane hash, tag keys. ARGV rnd, ttl of the hash, '' or a position in the list of
-- late.lua, ttl of the tags, '' or anything if the present position is wanted, then, with a
-- position, the hashes of the tags.
-- Returns the present position, if it is wanted, and the versions of the tags; what is missing
-- is made. With a position, a tag that was invalidated since has '', and nothing is returned if
-- that cannot be told.
open(KEYS[1]) -- so that it fails on a replica
local out, noted = {}, {}
if ARGV[3] ~= '' then
  noted = since(KEYS[1], ARGV[3])
  if not noted then return {} end
end
if ARGV[5] ~= '' then
  out[1] = position(KEYS[1], ARGV[1])
end
if ARGV[3] ~= '' or ARGV[5] ~= '' then
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
end
for i = 2, #KEYS do
  local h = ''
  if not noted[ARGV[i + 4]] then
    h = header(KEYS[i])
    if #h == 17 and (kind(h) == 'T' or kind(h) == 'Q') then
      if kind(h) == 'T' and redis.call('PTTL', KEYS[i]) < tonumber(ARGV[4]) then
        redis.call('PEXPIRE', KEYS[i], ARGV[4])
      end
    else
      h = 'T' .. nonce(ARGV[1])
      redis.call('SET', KEYS[i], h, 'PX', ARGV[4])
    end
  end
  out[#out + 1] = h
end
return out
