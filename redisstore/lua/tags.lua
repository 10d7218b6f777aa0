-- KEYS lane hash, tag keys. ARGV rnd, ttl, tail.
-- Returns the lane's tail and the version of each tag, made if missing; only the
-- tail if ARGV[3] is given and is not the tail.
local tail = redis.pcall('HGET', KEYS[1], 'ttail')
if type(tail) == 'table' then
  redis.call('DEL', KEYS[1])
  tail = false
end
if ARGV[3] ~= '' and tail ~= ARGV[3] then return { tail or '' } end
if not tail then
  tail = nonce(ARGV[1])
  redis.call('HSET', KEYS[1], 'ttail', tail)
end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
local out = { tail }
for i = 2, #KEYS do
  local h = header(KEYS[i])
  if #h == 17 and (kind(h) == 'T' or kind(h) == 'Q') then
    if kind(h) == 'T' and redis.call('PTTL', KEYS[i]) < tonumber(ARGV[2]) then
      redis.call('PEXPIRE', KEYS[i], ARGV[2])
    end
  else
    h = 'T' .. nonce(ARGV[1])
    redis.call('SET', KEYS[i], h, 'PX', ARGV[2])
  end
  out[i] = h
end
return out
