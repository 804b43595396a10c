-- keys: sums pending spent pace paid
-- What the log amounts to: the sums, the lessons that are in none yet, dollars, paces, and what
-- these have paid for.
return {
  redis.call('HGETALL', sums),
  redis.call('LRANGE', pending, 0, -1),
  redis.call('HGETALL', spent),
  redis.call('HGETALL', pace),
  redis.call('HGETALL', paid),
}
