-- keys: names decision prompt outcome feedback
-- uses: rows
-- Everything on record of the decisions that an index by names has between two of its members, the last so many of
-- them first, each after its member, in which its id follows so many bytes.
local rows = {}
for each, member in ipairs(redis.call('ZREVRANGEBYLEX', names, ARGV[1], ARGV[2], 'LIMIT', 0, ARGV[3])) do
  rows[each] = { member, row_of(string.sub(member, tonumber(ARGV[4]) + 1)) }
end
return rows
