-- keys: sums pending retired versions counts alarms done
-- uses: arguments vectors folding once
-- Writes alarms, and adds to the sums and to those of rows that are gone. {1}, the same write again too; {-2, ...} where
-- what is to be added does not fit.
local KEPT_ALARMS = 10000
local token, added, rung = take(), take_pairs(), take_list()
if was_done(token) then
  return { 1 }
end
local wrong = misfit(added)
if wrong then
  return wrong
end
note_done(token)
amend(added)
add_evidence(retired, added)
redis.call('HINCRBY', counts, 'moved', 1)
for _, alarm in ipairs(rung) do
  redis.call('RPUSH', alarms, alarm)
end
redis.call('LTRIM', alarms, -KEPT_ALARMS, -1)
return { 1 }
