-- A number in 8 bytes, the highest first.
local function bytes(n)
  local s = ''
  for _ = 1, 8 do
    s = string.char(n % 256) .. s
    n = math.floor(n / 256)
  end
  return s
end

-- A nonce is 16 bytes: the server's time in microseconds, then the client's
-- random bytes. Joined here and not in the client: a command that is repeated
-- after a lost reply must not mint the same nonce again.
local function nonce(rnd)
  local t = redis.call('TIME')
  return bytes(t[1] * 1000000 + t[2]) .. rnd
end

-- Says of the reply of a command whether the key is of another type. Any other error,
-- such as that of a user who may not use the command, ends the script: nothing may be
-- removed for it.
local function foreign(reply, ...)
  local err = type(reply) == 'table' and reply.err
  if not err then return false end
  if not string.find(err, '^-?WRONGTYPE') then redis.call(...) end
  return true
end

-- The first 17 bytes of a value or tag key: its kind and its nonce. What is not
-- a string is removed.
local function header(k)
  local h = redis.pcall('GETRANGE', k, 0, 16)
  if foreign(h, 'GETRANGE', k, 0, 16) then
    redis.call('DEL', k)
    return ''
  end
  return h
end

local function kind(h) return string.sub(h, 1, 1) end
