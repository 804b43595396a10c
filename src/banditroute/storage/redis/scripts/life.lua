-- Sums beside a log that is kept elsewhere. They have an edition, which is begun anew from the log, and within an edition
-- nothing of them is ever lost: where the server may have lost what it had acknowledged, it lives another life.
local function life()
  local run = string.match(redis.call('INFO', 'server'), 'run_id:(%x+)')
  return run .. ' ' .. string.match(redis.call('INFO', 'replication'), 'master_replid:(%x+)')
end

-- Whether these are the sums of that edition, whole.
local function is_sound(number)
  local known = redis.call('HMGET', edition, 'number', 'life')
  return known[1] == number and known[2] == life()
end
