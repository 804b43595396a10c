-- The parts of a tally that follow its evidence: dollars, paces after their numbers, and what these have paid for.

-- Adds them to what hashes keep; of a budget's paces the one of the higher number stays.
local function add_rest(dollars, paces, bills)
  for _, each in ipairs(take_pairs()) do
    add_usd(dollars, each[1], each[2])
  end
  for _, each in ipairs(take_pairs()) do
    local known = redis.call('HGET', paces, each[1])
    if not known or tonumber(string.match(known, '^%S+')) <= tonumber(string.match(each[2], '^%S+')) then
      redis.call('HSET', paces, each[1], each[2])
    end
  end
  for _, each in ipairs(take_triples()) do
    add_paid(bills, each[1], each[2], each[3])
  end
end

-- Puts a tally in the place of the sums; its paces are written after `number`, where that is given. All is news.
local function put_all(dollars, paces, bills, number)
  local known = redis.call('HKEYS', sums)
  redis.call('DEL', sums, pending, dollars, paces, bills)
  local version = next_version()
  for _, edge in ipairs(known) do
    redis.call('ZADD', versions, version, edge)
  end
  for _, each in ipairs(take_pairs()) do
    redis.call('HSET', sums, each[1], each[2])
    redis.call('ZADD', versions, version, each[1])
  end
  for _, each in ipairs(take_pairs()) do
    redis.call('HSET', dollars, each[1], each[2])
  end
  for _, each in ipairs(take_pairs()) do
    redis.call('HSET', paces, each[1], number and number .. '\n' .. each[2] or each[2])
  end
  for _, each in ipairs(take_triples()) do
    add_paid(bills, each[1], each[2], each[3])
  end
end
