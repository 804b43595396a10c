-- keys: decision prompt order unsettled counts names
-- uses: names
-- Takes a decision in: its id, its row, and its prompt where it is kept. 1, or 0 where it is on record already.
local id = ARGV[1]
if redis.call('HSETNX', decision, id, ARGV[2]) == 0 then
  return 0
end
local seq = redis.call('HINCRBY', counts, 'seq', 1)
redis.call('ZADD', order, seq, id)
redis.call('ZADD', unsettled, seq, id)
name(id)
if ARGV[3] then
  redis.call('HSET', prompt, id, ARGV[3])
end
return 1
