-- Vectors of doubles as they stand in memory: little endian, eight bytes each. Lua's numbers are doubles too, so that
-- what is added here is added as anywhere else.
local CHUNK = 200 -- numbers; Lua's stack holds 8000
local DOUBLES = string.rep('d', CHUNK)

local function unpacked(bytes, from)
  local numbers, count = {}, 0
  local left = (#bytes - from + 1) / 8
  while left > 0 do
    local some = math.min(left, CHUNK)
    local part = { struct.unpack('<' .. string.sub(DOUBLES, 1, some), bytes, from + 8 * count) }
    for place = 1, some do
      numbers[count + place] = part[place]
    end
    count, left = count + some, left - some
  end
  return numbers
end

local function packed(numbers)
  local parts, size = {}, #numbers
  for first = 1, size, CHUNK do
    local last = math.min(first + CHUNK - 1, size)
    parts[#parts + 1] = struct.pack('<' .. string.sub(DOUBLES, 1, last - first + 1), unpack(numbers, first, last))
  end
  return table.concat(parts)
end

-- Adds numbers to what a hash keeps under a name.
local function add(hash, name, numbers)
  local known = redis.call('HGET', hash, name)
  if known then
    for place, number in ipairs(unpacked(known, 1)) do
      numbers[place] = number + numbers[place]
    end
  end
  redis.call('HSET', hash, name, packed(numbers))
end

-- Adds dollars to what a hash keeps under a name, as doubles, in digits that give the same double again.
local function add_usd(hash, name, usd)
  local known = tonumber(redis.call('HGET', hash, name) or '0')
  redis.call('HSET', hash, name, string.format('%.17g', known + tonumber(usd)))
end

-- Adds requests and their dollars to what a budget has paid for.
local function add_paid(hash, budget, requests, usd)
  redis.call('HINCRBY', hash, 'requests ' .. budget, requests)
  add_usd(hash, 'usd ' .. budget, usd)
end
