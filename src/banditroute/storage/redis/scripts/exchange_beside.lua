-- keys: edition marks writers sums pending versions counts spent paid holders leases circuits
-- uses: arguments vectors folding life marks exchanging
-- The same beside a log, where all is in the sums that the process has logged up to a batch: {1, overdue, news};
-- {0, mark} where it is not, {-1} where the sums are not sound.
--
-- Leases of holders whose time is up stay, and these are told with their writers, until somebody has made sure that
-- nothing of them waits in the log. Where the leases were lost, nobody gets more than it says it has, until by its own
-- clock nobody can have any of those that were.
local number, writer, upto, cleared = take(), take(), tonumber(take()), {}
for _, name in ipairs(take_list()) do
  cleared[name] = true
end
local reporter = take()
if not is_sound(number) then
  return { -1 }
end
if mark_of(writer) ~= upto then
  return { 0, mark_of(writer) }
end
for name in pairs(cleared) do
  redis.call('HDEL', writers, name)
end
redis.call('HSET', writers, reporter, writer)

local overdue, lost_at = {}, tonumber(redis.call('HGET', edition, 'lost_at') or '0')
local function may_return(name)
  if name ~= reporter and not cleared[name] then
    overdue[#overdue + 1] = { name, redis.call('HGET', writers, name) or '' }
    return false
  end
  return true
end
local function may_grant(now, lease_s)
  return now > lost_at + 1 + lease_s
end

local news = exchanged(may_return, may_grant)
if redis.call('HEXISTS', holders, reporter) == 0 then
  redis.call('HDEL', writers, reporter)
end
return { 1, overdue, news }
