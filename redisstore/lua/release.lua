-- KEYS value keys. ARGV rnd, id of the writer, then per key the header that
-- enter has returned, or '', body, px.
-- Returns per key what leave returns.
local out = {}
for i, k in ipairs(KEYS) do
  out[i] = leave(k, ARGV[2], ARGV[1], ARGV[i * 3], ARGV[i * 3 + 1], ARGV[i * 3 + 2])
end
return out
