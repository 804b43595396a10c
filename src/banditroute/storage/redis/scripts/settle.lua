-- keys: decision outcome unsettled settled counts sums pending versions spent pace paid
-- uses: arguments vectors folding
-- Writes an outcome and all that it changes. {1}; {0} where there is one; {-1} where there is no such decision; {-2, ...}
-- where a lesson does not fit. The same write again, by its token, is answered as the first.
local id, token, served, text, cost_usd = take(), take(), take(), take(), take()
local begun = redis.call('HGET', decision, id)
if not begun then
  return { -1 }
end
local known = redis.call('HGET', outcome, id)
if known then
  return { string.match(known, '^%S+ %S+ (%S+)\n') == token and 1 or 0 }
end
local lessons = take_list()
local wrong, new = fitted(lessons)
if wrong then
  return wrong
end
local number = redis.call('HINCRBY', counts, 'number', 1)
redis.call('HSET', outcome, id, number .. ' ' .. served .. ' ' .. token .. '\n' .. text)
redis.call('ZREM', unsettled, id)
redis.call('ZADD', settled, string.match(begun, '^[^\n]+'), id)
for _, charge in ipairs(take_pairs()) do
  add_usd(spent, charge[1], charge[2])
end
for _, moved in ipairs(take_pairs()) do
  redis.call('HSET', pace, moved[1], number .. '\n' .. moved[2])
  add_paid(paid, moved[1], 1, cost_usd)
end
learn(lessons, new)
return { 1 }
