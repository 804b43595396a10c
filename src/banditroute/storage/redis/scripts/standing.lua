-- keys: edition
-- uses: life
-- Which edition the sums are of, whether the server lives the same life as then, how often they were changed, its life.
local number, known, changes = unpack(redis.call('HMGET', edition, 'number', 'life', 'changes'))
local now = life()
return { number or '0', known == now and 1 or 0, changes or '0', now }
