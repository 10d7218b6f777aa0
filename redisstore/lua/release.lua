-- KEYS value keys. ARGV rnd, id of the writer, then per key body, px.
-- Returns per key what leave returns.
local out = {}
for i, k in ipairs(KEYS) do
  out[i] = leave(k, ARGV[2], ARGV[1], ARGV[i * 2 + 1], ARGV[i * 2 + 2])
end
return out
