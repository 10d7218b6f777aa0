-- KEYS lane hash. ARGV rnd, ttl, process, the tail it has applied, the last time of
-- the lane that it has heard of, and '' or the age in milliseconds from which
-- processes are forgotten, and when it ought to be by the server's clock; then, in the
-- lane that has the settings, what settings.lua has.
-- Returns the tail, the time of the lane, that of the server, and '' or why processes
-- could not be forgotten; or what settings.lua does. It is a write, so that it fails on
-- a server that may not, or cannot, write any more.
if ARGV[8] then
  local other = agree(KEYS[1], ARGV[2], ARGV[8], ARGV[9], ARGV[10])
  if other then return other end
end
open(KEYS[1])
local t = tail(KEYS[1])
if t == '' then
  t = nonce(ARGV[1]) .. ARGV[1] .. '0'
  redis.call('HSET', KEYS[1], 'tail', t)
end
local at, now = time(KEYS[1], ARGV[5])
redis.call('HSET', KEYS[1], 'm:' .. ARGV[3], string.format('%.0f', now) .. ':' .. ARGV[4])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
-- If the server's clock was set meanwhile, who is alive may seem to have died.
local age, refused = tonumber(ARGV[6]), ''
if age and math.abs(now - tonumber(ARGV[7])) <= age / 2 then
  local all = redis.pcall('HGETALL', KEYS[1]) -- who may not leaves it to others
  refused = all.err or ''
  for i = 1, #all, 2 do
    if string.sub(all[i], 1, 2) == 'm:' then
      local seen = tonumber(string.match(all[i + 1], '^%d+'))
      if not seen or math.abs(now - seen) > age then
        redis.call('HDEL', KEYS[1], all[i])
      end
    end
  end
end
return {t, string.format('%.0f', at), string.format('%.0f', now), refused}
