-- Up to which batch what a writer has logged is in the sums.
local function mark_of(writer)
  return tonumber(redis.call('HGET', marks, writer) or '0')
end
