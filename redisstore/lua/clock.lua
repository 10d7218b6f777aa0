-- KEYS lane hash. ARGV ttl, the last time of the lane that the client has heard of.
-- Returns the time of the lane.
open(KEYS[1])
local now = time(KEYS[1], ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[1])
return string.format('%.0f', now)
