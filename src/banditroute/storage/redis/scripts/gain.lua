-- keys: edition marks sums pending versions counts spent pace paid
-- uses: arguments vectors folding tallies life marks
-- Adds what the batches after a mark amount to, and moves the mark behind them. {1, mark, changes}, also where that was
-- done before; {0, mark, changes} where the mark is another; {-1} where the sums are not sound; {-2, ...} where something
-- does not fit.
local number, writer, expected, upto = take(), take(), tonumber(take()), tonumber(take())
if not is_sound(number) then
  return { -1 }
end
local mark, changes = mark_of(writer), tonumber(redis.call('HGET', edition, 'changes') or '0')
if mark >= upto or mark ~= expected then
  return { mark >= upto and 1 or 0, mark, changes }
end
local added = take_pairs()
local wrong = misfit(added)
if wrong then
  return wrong
end
amend(added)
add_rest(spent, pace, paid)
redis.call('HSET', marks, writer, string.format('%.0f', upto))
return { 1, upto, redis.call('HINCRBY', edition, 'changes', 1) }
