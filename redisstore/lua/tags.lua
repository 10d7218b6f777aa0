-- KEYS lane hash, tag keys. ARGV rnd, ttl of the hash, tail to check, ttl of the
-- tags, names of tails.
-- Returns the tails and then the versions of the tags; what is missing is made.
-- If a tail to check is given and the first tail is another, returns nothing.
open(KEYS[1]) -- so that it fails on a replica
local tails, n = {}, #ARGV - 4
if n > 0 then
  local names = {}
  for i = 1, n do names[i] = ARGV[i + 4] end
  tails = redis.pcall('HMGET', KEYS[1], unpack(names))
  if foreign(tails, 'HMGET', KEYS[1], unpack(names)) then
    redis.call('DEL', KEYS[1])
    tails = {}
  end
  if ARGV[3] ~= '' and tails[1] ~= ARGV[3] then return {} end
  for i = 1, n do
    if not tails[i] then
      tails[i] = nonce(ARGV[1])
      redis.call('HSET', KEYS[1], names[i], tails[i])
    end
  end
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
end
local out = {}
for i = 1, n do out[i] = tails[i] end
for i = 2, #KEYS do
  local h = header(KEYS[i])
  if #h == 17 and (kind(h) == 'T' or kind(h) == 'Q') then
    if kind(h) == 'T' and redis.call('PTTL', KEYS[i]) < tonumber(ARGV[4]) then
      redis.call('PEXPIRE', KEYS[i], ARGV[4])
    end
  else
    h = 'T' .. nonce(ARGV[1])
    redis.call('SET', KEYS[i], h, 'PX', ARGV[4])
  end
  out[#out + 1] = h
end
return out
