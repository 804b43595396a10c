-- keys: retired retired_spent retired_pace retired_paid counts
-- What rows that are gone have added, how often rows were pruned, and how often sums were moved by what is of no row.
return {
  redis.call('HGETALL', retired),
  redis.call('HGETALL', retired_spent),
  redis.call('HGETALL', retired_pace),
  redis.call('HGETALL', retired_paid),
  redis.call('HGET', counts, 'pruned') or '0',
  redis.call('HGET', counts, 'moved') or '0',
}
