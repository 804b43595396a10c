-- keys: order decision prompt outcome feedback
-- uses: rows
-- Everything on record of the newest so many decisions, newest first.
local rows = {}
for each, id in ipairs(redis.call('ZREVRANGE', order, 0, tonumber(ARGV[1]) - 1)) do
  rows[each] = row_of(id)
end
return rows
