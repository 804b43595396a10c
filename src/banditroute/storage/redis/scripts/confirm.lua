-- keys: edition
-- uses: life
-- Takes the sums of an edition for those of the next, in this life. 1, or 0 where it is another edition or life by now.
if redis.call('HGET', edition, 'number') ~= ARGV[1] or life() ~= ARGV[3] then
  return 0
end
redis.call('HSET', edition, 'number', ARGV[2], 'life', ARGV[3])
return 1
