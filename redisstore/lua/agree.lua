-- All processes of a space must have their settings in common. agree returns nothing if
-- ours are in force, and notes that somebody lives by them. Otherwise it writes nothing,
-- and returns those that are in force and a sign that changes while somebody lives by
-- them. A client that has seen one sign for long enough passes both, as dead and sign:
-- then the hash begins anew, with our settings.
local function agree(lane, ttl, ours, dead, sign)
  local theirs = redis.pcall('HGET', lane, 'settings')
  if foreign(theirs, 'HGET', lane, 'settings') then theirs = false end
  if type(theirs) == 'string' and theirs ~= ours then
    local all, last = redis.pcall('HGETALL', lane), redis.call('HGET', lane, 'settings-at') or ''
    for i = 1, #all, 2 do
      if string.sub(all[i], 1, 2) == 'm:' then
        local at = string.match(all[i + 1], '^%d+') or ''
        if #at > #last or #at == #last and at > last then last = at end
      end
    end
    if theirs ~= dead or last ~= sign then return {theirs, last} end
    redis.call('DEL', lane)
  end
  open(lane)
  local t = redis.call('TIME')
  redis.call('HSET', lane, 'settings', ours, 'settings-at', string.format('%.0f', t[1] * 1000 + math.floor(t[2] / 1000)))
  redis.call('PEXPIRE', lane, ttl)
end
