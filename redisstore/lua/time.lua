-- The time of a lane, in milliseconds: the server's, which does not go back when
-- that is set back, or when another server takes over whose clock is behind. The
-- hash has the last time, and by how much it is ahead of the server's; least is the
-- last that the client has heard of, for when the hash was lost.
local function time(lane, least)
  local t = redis.call('TIME')
  local now = t[1] * 1000 + math.floor(t[2] / 1000)
  local c = redis.call('HGET', lane, 'clock')
  local last, ahead = string.match(c or '', '^(%d+):(%d+)$')
  last, ahead = math.max(tonumber(last or 0), tonumber(least)), tonumber(ahead or 0)
  if now + ahead < last then ahead = last - now end
  redis.call('HSET', lane, 'clock', string.format('%.0f:%.0f', now + ahead, ahead))
  return now + ahead, now
end
