-- keys: order decision prompt outcome feedback
-- uses: rows
-- Of the first so many decisions after a score those whose row holds a text, each after its score; and before them the
-- score of the last one that was looked at, which is false at the end.
local found = redis.call('ZRANGEBYSCORE', order, ARGV[1], '+inf', 'WITHSCORES', 'LIMIT', 0, ARGV[2])
local rows = {}
for each = 1, #found, 2 do
  if string.find(redis.call('HGET', decision, found[each]) or '', ARGV[3], 1, true) then
    rows[#rows + 1] = { found[each + 1], row_of(found[each]) }
  end
end
return { #found > 0 and found[#found], rows }
