-- A quarantine that somebody else touched: nobody's value may be installed when
-- it ends. DEL comes first since a script whose first write is a DEL runs even
-- if the server is out of memory. Returns its header.
local function quarantine(k, ids, tainted, rnd, ttl)
  redis.call('DEL', k)
  local h = 'Q' .. nonce(rnd)
  if ttl > 0 then
    redis.call('SET', k, h .. tainted .. ids, 'PX', ttl)
  end
  return h
end

local function remove(k, rnd)
  if kind(header(k)) == 'Q' then
    quarantine(k, string.sub(redis.call('GET', k), 19), '1', rnd, redis.call('PTTL', k))
  else
    redis.call('DEL', k)
  end
end

local function without(ids, id)
  local out = ''
  for i = 1, #ids, 16 do
    local one = string.sub(ids, i, i + 15)
    if one ~= id then out = out .. one end
  end
  return out
end

-- A writer enters the quarantine of a key. Returns the header of the quarantine.
local function enter(k, id, rnd, ttl)
  local h = header(k)
  if kind(h) ~= 'Q' then return quarantine(k, id, '0', rnd, ttl) end
  local ids = string.sub(redis.call('GET', k), 19)
  if without(ids, id) ~= ids then return h end -- this command is a repetition
  return quarantine(k, ids .. id, '1', rnd, math.max(ttl, redis.call('PTTL', k)))
end

-- A writer leaves it. body is installed if the writer was alone and untouched in
-- the quarantine that enter has returned as token, otherwise there is no value. One
-- with the writer's id and another header was made by a repetition of enter, perhaps
-- long after others have written. Returns 1 if body was installed, 4 if there was
-- none and it would have been, 2 if the quarantine was lost, else 0.
local function leave(k, id, rnd, token, body, px)
  local c = ''
  if kind(header(k)) == 'Q' then c = redis.call('GET', k) end
  local ids = string.sub(c, 19)
  local others = without(ids, id)
  local untouched = ids == id and string.sub(c, 18, 18) == '0'
  local same = string.sub(c, 1, 17) == token
  if others ~= '' then
    quarantine(k, others, '1', rnd, redis.call('PTTL', k))
  elseif untouched and same then
    if body == '' then
      redis.call('DEL', k)
      return 4
    end
    redis.call('SET', k, 'V' .. nonce(rnd) .. body, 'PX', px)
    return 1
  else
    redis.call('DEL', k)
  end
  return (others == ids or untouched and token ~= '') and 2 or 0
end
