-- keys: edition marks sums spent pace paid
-- uses: life
-- The sums of an edition and which batches are in them, as {1, ...}; {-1} where they are not sound.
if not is_sound(ARGV[1]) then
  return { -1 }
end
return {
  1,
  redis.call('HGETALL', marks),
  redis.call('HGETALL', sums),
  redis.call('HGETALL', spent),
  redis.call('HGETALL', pace),
  redis.call('HGETALL', paid),
}
