-- KEYS lane hash. ARGV what this process takes for granted of the keys.
-- Returns what the others do.
open(KEYS[1])
redis.call('HSETNX', KEYS[1], 'settings', ARGV[1])
return redis.call('HGET', KEYS[1], 'settings')
