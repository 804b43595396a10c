-- keys: index decision prompt outcome feedback
-- uses: rows
-- Everything on record of the decisions that an index has between two scores, the first so many of them, each after its
-- score.
local found = redis.call('ZRANGEBYSCORE', index, ARGV[1], ARGV[2], 'WITHSCORES', 'LIMIT', 0, ARGV[3])
local rows = {}
for each = 1, #found, 2 do
  rows[#rows + 1] = { found[each + 1], row_of(found[each]) }
end
return rows
