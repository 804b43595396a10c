-- keys: incidents
-- Keeps an incident, given as its instant and its text, among the newest so many; the same one again changes nothing.
redis.call('ZADD', incidents, ARGV[1], ARGV[2])
redis.call('ZREMRANGEBYRANK', incidents, 0, -ARGV[3] - 1)
return 1
