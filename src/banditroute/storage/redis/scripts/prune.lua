-- keys: decision prompt outcome feedback order settled counts names retired retired_spent retired_pace retired_paid
-- keys: sums pending versions done
-- uses: arguments vectors names folding tallies once
-- Forgets decisions, and keeps what they taught and spent; where what they taught is to go too, the last list takes it
-- off the sums, whose count of moves is told then. 1, the same again too; 0 and nothing is changed where one of them is
-- gone or was judged since they were read, or the sums were moved.
local token, moved, rows = take(), take(), take_pairs()
if was_done(token) then
  return 1
end
if moved ~= '' and moved ~= (redis.call('HGET', counts, 'moved') or '0') then
  return 0
end
for _, row in ipairs(rows) do
  local id = row[1]
  if redis.call('HSTRLEN', feedback, id) ~= tonumber(row[2]) or not redis.call('ZSCORE', settled, id) then
    return 0
  end
end
note_done(token)
for _, row in ipairs(rows) do
  local id = row[1]
  unname(id)
  for _, hash in ipairs({ decision, prompt, outcome, feedback }) do
    redis.call('HDEL', hash, id)
  end
  redis.call('ZREM', order, id)
  redis.call('ZREM', settled, id)
end
add_evidence(retired, take_pairs())
add_rest(retired_spent, retired_pace, retired_paid)
amend(take_pairs())
redis.call('HINCRBY', counts, 'pruned', 1)
return 1
