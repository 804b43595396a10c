-- Takes in what a process tells and tells it the news, all at one instant of this server's clock.
--
-- `may_return(name)`: whether the leases of a holder whose time is up return now. `may_grant(now, lease_s)`: whether
-- anything is granted that is not held.
local function exchanged(may_return, may_grant)
  local holder, alive_s, lease_s, known, leaving = take(), take(), take(), tonumber(take()), take() == '1'
  local time = redis.call('TIME')
  local now = tonumber(time[1]) + tonumber(time[2]) / 1000000

  -- Who is there: each holder's number in the order of coming, and until when it is alive and has its leases.
  local there, joined = {}, nil
  local kept = redis.call('HGETALL', holders)
  for each = 1, #kept, 2 do
    local name = kept[each]
    local number, alive_until, leased_until = string.match(kept[each + 1], '^(%S+) (%S+) (%S+)$')
    local alive, leased = tonumber(alive_until) > now, tonumber(leased_until) > now or not may_return(name)
    if not alive then redis.call('HDEL', circuits, name) end
    if not leased then redis.call('HDEL', leases, name) end
    if not alive and not leased then redis.call('HDEL', holders, name) end
    if alive and name ~= holder then there[#there + 1] = { name, tonumber(number) } end
    if alive and name == holder then joined = tonumber(number) end
  end

  -- What others hold of each window, and what this one gets: as `granted_usd` says.
  local leased, parts = {}, {}
  local held = redis.call('HGETALL', leases)
  for each = 1, #held, 2 do
    if held[each] ~= holder then
      for usd, window in string.gmatch(held[each + 1], '(%S+) ([^\n]+)\n') do
        leased[window] = (leased[window] or 0) + tonumber(usd)
      end
    end
  end
  local grants = {}
  for each, ask in ipairs(take_items(4)) do
    local window, cap, mine, wanted = ask[1], tonumber(ask[2]), tonumber(ask[3]), tonumber(ask[4])
    local paid_out = redis.call('HGET', spent, window) or '0'
    local free = cap - tonumber(paid_out) - (leased[window] or 0) - mine
    if not may_grant(now, tonumber(lease_s)) then free = 0 end
    local granted = leaving and 0 or math.max(math.min(wanted, mine + math.max(free, 0) / 2), mine)
    local usd = string.format('%.17g', granted)
    grants[each], parts[each] = { usd, paid_out }, usd .. ' ' .. window .. '\n'
  end

  -- What this one tells of itself.
  local found = {}
  for each, open in ipairs(take_triples()) do
    found[each] = string.format('%.17g', now + tonumber(open[2])) .. '\t' .. open[1] .. '\t' .. open[3] .. '\n'
  end
  if leaving then
    for _, hash in ipairs({ holders, leases, circuits }) do redis.call('HDEL', hash, holder) end
  else
    joined = joined or redis.call('HINCRBY', counts, 'joined', 1)
    local alive_until, leased_until = now + tonumber(alive_s), now + tonumber(lease_s)
    redis.call('HSET', holders, holder, string.format('%.0f %.17g %.17g', joined, alive_until, leased_until))
    redis.call('HSET', leases, holder, table.concat(parts))
    redis.call('HSET', circuits, holder, table.concat(found))
  end

  -- What all of it amounts to.
  fold()
  local version = redis.call('HGET', counts, 'version') or '0'
  if known > tonumber(version) then known = 0 end -- the server has lost what it told
  local changed = redis.call('ZRANGEBYSCORE', versions, string.format('(%.0f', known), '+inf')
  local evidence = {}
  for each, edge in ipairs(changed) do
    evidence[each] = { edge, redis.call('HGET', sums, edge) }
  end

  -- What the others told.
  local others, broken, on_duty = {}, {}, not leaving
  for each, other in ipairs(there) do
    others[each] = other[1]
    on_duty = on_duty and joined < other[2]
    local lines = redis.call('HGET', circuits, other[1]) or ''
    for until_at, model, why in string.gmatch(lines, '([^\t\n]+)\t([^\t]+)\t([^\n]+)\n') do
      if tonumber(until_at) > now then
        broken[#broken + 1] = { model, string.format('%.17g', tonumber(until_at) - now), why }
      end
    end
  end
  return { version, evidence, redis.call('HGETALL', paid), grants, others, broken, on_duty and 1 or 0 }
end
