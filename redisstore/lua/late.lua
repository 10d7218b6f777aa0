-- The tags of a lane that were invalidated last, for loads that learn their tags late: they
-- are refused if one of theirs was invalidated since they began, or if that cannot be
-- told. The field late of the lane's hash has 16 bytes that name the list, and the number
-- of the last note. t0 to t15 are pages of 32 notes: four bytes of the hash of a tag,
-- and four random ones.
local size, pages = 32, 16

local function page(n) return string.format('t%d', math.floor(n / size) % pages) end

-- The name of the list, '' if there is none, and the number of the last note.
local function list(lane)
  local l = redis.call('HGET', lane, 'late')
  if l and #l < 40 and string.find(string.sub(l, 17), '^%d+$') then
    return string.sub(l, 1, 16), tonumber(string.sub(l, 17))
  end
  return '', 0
end

-- Notes tags, by the hashes that ARGV has from first on, '' for what is no tag. If there is
-- no list, no load that could be stored relies on it.
local function note(lane, rnd, first)
  local name, n = list(lane)
  if name == '' then return end
  local notes, before = redis.call('HGET', lane, page(n)) or '', n
  if #notes ~= (n % size + 1) * 8 then
    redis.call('HDEL', lane, 'late')
    return
  end
  for i = first, #ARGV do
    if ARGV[i] ~= '' then
      n = n + 1
      if n % size == 0 then
        redis.call('HSET', lane, page(n - 1), notes)
        notes = ''
      end
      notes = notes .. ARGV[i] .. string.sub(rnd, 1, 4)
    end
  end
  if n > before then
    redis.call('HSET', lane, page(n), notes, 'late', name .. string.format('%.0f', n))
  end
end

-- The end of the list: its name, the last note and the number of that. If there is no list,
-- one is begun.
local function position(lane, rnd)
  local name, n = list(lane)
  local notes = name ~= '' and redis.call('HGET', lane, page(n)) or ''
  if #notes ~= (n % size + 1) * 8 then
    name, n, notes = nonce(rnd), 0, rnd
    redis.call('HSET', lane, 'late', name .. '0', page(0), notes)
  end
  return name .. string.sub(notes, -8) .. string.format('%.0f', n)
end

-- The hashes of the tags that were noted since a position; nothing if that cannot be told:
-- the list is another, or has no room for so many.
local function since(lane, position)
  local name, n = list(lane)
  local before = tonumber(string.sub(position, 25))
  if name ~= string.sub(position, 1, 16) or not before or n < before then return nil end
  local first, last = math.floor(before / size), math.floor(n / size)
  if last - first >= pages then return nil end
  local names = {}
  for i = first, last do names[#names + 1] = page(i * size) end
  local notes = ''
  for i, p in ipairs(redis.call('HMGET', lane, unpack(names))) do
    if not p or #p ~= (i < #names and size or n % size + 1) * 8 then return nil end
    notes = notes .. p
  end
  local at = before % size * 8
  if string.sub(notes, at + 1, at + 8) ~= string.sub(position, 17, 24) then return nil end
  local noted = {}
  for i = at + 9, #notes, 8 do noted[string.sub(notes, i, i + 3)] = true end
  return noted
end
