-- keys: edition marks sums pending versions counts spent pace paid
-- uses: arguments vectors folding tallies life
-- Begins an edition: its sums, and which batches of each writer are in them. 1, or 0 where a later one has begun, or the
-- server lives another life by now.
local number, told, is_lost = take(), take(), take() == '1'
if life() ~= told or tonumber(redis.call('HGET', edition, 'number') or '0') >= tonumber(number) then
  return 0
end
redis.call('DEL', marks)
for _, each in ipairs(take_pairs()) do
  redis.call('HSET', marks, each[1], each[2])
end
put_all(spent, pace, paid)
redis.call('HSET', edition, 'number', number, 'life', told, 'changes', '0')
if is_lost then
  redis.call('HSET', edition, 'lost_at', redis.call('TIME')[1])
end
return 1
