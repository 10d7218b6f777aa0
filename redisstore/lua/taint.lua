-- A quarantine that somebody else touched: nobody's value may be installed when
-- it ends. DEL comes first since a script whose first write is a DEL runs even
-- if the server is out of memory.
local function quarantine(k, ids, tainted, rnd, ttl)
  redis.call('DEL', k)
  if ttl > 0 then
    redis.call('SET', k, 'Q' .. nonce(rnd) .. tainted .. ids, 'PX', ttl)
  end
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

-- A writer enters the quarantine of a key.
local function enter(k, id, rnd, ttl)
  if kind(header(k)) == 'Q' then
    local ids = string.sub(redis.call('GET', k), 19)
    if without(ids, id) == ids then -- otherwise this command is a repetition
      quarantine(k, ids .. id, '1', rnd, math.max(ttl, redis.call('PTTL', k)))
    end
  else
    quarantine(k, id, '0', rnd, ttl)
  end
end

-- A writer leaves it. body is installed if the writer was alone and untouched,
-- otherwise there is no value. Returns 1 if body was installed, 4 if there was none
-- and it would have been, 2 if the quarantine was lost, else 0.
local function leave(k, id, rnd, body, px)
  local c = ''
  if kind(header(k)) == 'Q' then c = redis.call('GET', k) end
  local ids = string.sub(c, 19)
  local others = without(ids, id)
  if others ~= '' then
    quarantine(k, others, '1', rnd, redis.call('PTTL', k))
  elseif ids == id and string.sub(c, 18, 18) == '0' then
    if body == '' then
      redis.call('DEL', k)
      return 4
    end
    redis.call('SET', k, 'V' .. nonce(rnd) .. body, 'PX', px)
    return 1
  else
    redis.call('DEL', k)
  end
  return others == ids and 2 or 0
end
