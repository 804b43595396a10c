-- keys: decision outcome feedback counts sums pending versions
-- uses: arguments vectors folding
-- Writes a judgement and its lesson. {1}; {0} where that source judged it; {-1} where there is no such decision; {-2, ...}
-- where the lesson does not fit; {-3, the outcome or nothing} where there is no answer that could be judged.
local id, source, token, text, lesson = take(), take(), take(), take(), take()
if redis.call('HEXISTS', decision, id) == 0 then
  return { -1 }
end
local judged = redis.call('HGET', feedback, id) or ''
for line in string.gmatch(judged, '[^\n]+') do
  local by, known = string.match(line, '^([^\t]*)\t([^\t]*)\t')
  if by == source then
    return { known == token and 1 or 0 }
  end
end
local settled = redis.call('HGET', outcome, id)
if not settled or string.match(settled, '^%S+ (%S+)') ~= '1' then
  return { -3, settled }
end
local wrong, new = fitted({ lesson })
if wrong then
  return wrong
end
redis.call('HSET', feedback, id, judged .. source .. '\t' .. token .. '\t' .. text .. '\n')
learn({ lesson }, new)
return { 1 }
