-- keys: sums pending versions counts spent pace paid done
-- uses: arguments vectors folding tallies once
-- Puts another state in the place of those that are kept. 1, the same write again too.
local token = take()
if not was_done(token) then
  note_done(token)
  put_all(spent, pace, paid, redis.call('HGET', counts, 'number') or '0')
  redis.call('HINCRBY', counts, 'moved', 1)
end
return 1
