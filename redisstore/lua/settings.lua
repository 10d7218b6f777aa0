-- KEYS lane hash. ARGV ttl, our settings, settings with a sign that has not changed, and
-- the last time of the lane that the client has heard of.
-- Returns the time of the lane if our settings are in force, else those that are, and a
-- sign.
local other = agree(KEYS[1], ARGV[1], ARGV[2], ARGV[3], ARGV[4])
if other then return other end
return {string.format('%.0f', (time(KEYS[1], ARGV[5])))}
