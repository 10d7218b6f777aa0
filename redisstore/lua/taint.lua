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
