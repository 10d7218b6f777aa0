-- The lock of a token, in the 17 bytes behind its header: the fill that has it,
-- in 8 bytes; until when, in milliseconds of the server's time, in 8; and '1' if
-- somebody waits for it. A token without them is not locked. Nothing that is
-- stored depends on it: whoever has the token may fill.
local function now()
  local t = redis.call('TIME')
  return t[1] * 1000 + math.floor(t[2] / 1000)
end

local function locked(holder, life) return holder .. bytes(now() + life) end

-- Takes the lock, if nobody else has it, and returns ''. Otherwise it notes that
-- somebody waits, and returns for how many milliseconds the other still has it.
-- The token stays what it is: a load that is under way may still be stored.
local function lock(k, holder, life)
  local l, deadline = redis.call('GETRANGE', k, 17, 33), 0
  for i = 9, math.min(#l, 16) do deadline = deadline * 256 + string.byte(l, i) end
  local left, waits = deadline - now(), string.sub(l, 17, 17)
  if left > 60000 then left = 0 end -- no lock lives so long: the server's clock was set back
  if left > 0 and string.sub(l, 1, 8) ~= holder then
    if waits ~= '1' then redis.call('SETRANGE', k, 33, '1') end
    return string.format('%.0f', left)
  end
  redis.call('SETRANGE', k, 17, locked(holder, life) .. (waits == '1' and '1' or '0'))
  return ''
end
