-- keys: edition marks
-- uses: life marks
-- Up to which batch what a writer has logged is in the sums, as {1, mark, changes}; {-1} where these are not sound.
if not is_sound(ARGV[1]) then
  return { -1 }
end
return { 1, mark_of(ARGV[2]), tonumber(redis.call('HGET', edition, 'changes') or '0') }
