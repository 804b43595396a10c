-- keys: edition spent pace paid
-- uses: arguments life
-- Forgets what windows and budgets have spent. {1, changes}; {-1} where the sums are not sound.
local number = take()
if not is_sound(number) then
  return { -1 }
end
for _, hash in ipairs({ spent, pace, paid }) do
  for _, name in ipairs(take_list()) do
    redis.call('HDEL', hash, name)
  end
end
return { 1, redis.call('HINCRBY', edition, 'changes', 1) }
