-- The hash of a lane. What is no hash is removed, and so is nothing: a script
-- whose first write is a removal runs even if the server is out of memory.
local function open(lane)
  if foreign(redis.pcall('HDEL', lane, 'none'), 'HDEL', lane, 'none') then redis.call('DEL', lane) end
end

-- The tail of a lane's log: 16 bytes that name the log, 8 of the last message,
-- and its number. Absent is ''.
local function tail(lane)
  local t = redis.call('HGET', lane, 'tail')
  if t and #t < 64 and string.find(string.sub(t, 25), '^%d+$') then return t end
  return ''
end

-- A message to all processes: what changed, between the tail before it and the
-- tail after it. Returns the latter. The message only comes early: that there is a new
-- tail is found by the beats. So a server that refuses to publish, to which the error
-- behind the tail bears witness, does not keep the change from being made.
local function announce(lane, ttl, rnd, channel, verb, payload)
  local p = tail(lane)
  local n
  if p == '' then
    n = nonce(rnd) .. rnd .. '1'
  else
    n = string.sub(p, 1, 16) .. rnd .. string.format('%.0f', tonumber(string.sub(p, 25)) + 1)
  end
  redis.call('HSET', lane, 'tail', n)
  redis.call('PEXPIRE', lane, ttl)
  local sent = redis.pcall(verb, channel, string.char(#p) .. p .. string.char(#n) .. n .. payload)
  if type(sent) == 'table' then return n .. ' ' .. tostring(sent.err) end
  return n
end
