-- Lessons that are in no sum yet, and their way into the sums. Many at once are cheaper than each.
--
-- A lesson is the length of its head, the head (the edges that it tells something of, a line each) and doubles: its
-- weight, what was seen of each edge, its inputs.
local MOST_PENDING = 128

local function head_of(lesson)
  local length = struct.unpack('<H', lesson)
  return string.sub(lesson, 3, 2 + length)
end

local function edges_of(head)
  local edges = {}
  for edge in string.gmatch(head, '[^\n]+') do
    edges[#edges + 1] = edge
  end
  return edges
end

local function length_of(width)
  return width * (width + 1) / 2 + width + 2
end

local function width_of(bytes)
  return math.floor((math.sqrt(bytes - 7) - 3) / 2 + 0.5)
end

-- Holds lessons to what their edges have seen: what keeps them from being added, as {-2, edge, its width, theirs}, or
-- nothing; and the edges that have seen nothing yet, each with the length of its sums.
local function fitted(lessons)
  local new = {}
  for _, lesson in ipairs(lessons) do
    local head = head_of(lesson)
    local edges = edges_of(head)
    local width = (#lesson - 2 - #head) / 8 - 1 - #edges
    local length = length_of(width)
    for _, edge in ipairs(edges) do
      local bytes = redis.call('HSTRLEN', sums, edge)
      if bytes == 0 then
        new[#new + 1] = { edge, length }
      elseif bytes ~= 8 * length then
        return { -2, edge, width_of(bytes), width }, new
      end
    end
  end
  return nil, new
end

local function next_version()
  local time = redis.call('TIME') -- so that versions rise also where the server has lost its data
  local now = tonumber(time[1]) * 1000000 + tonumber(time[2])
  local version = math.max(now, tonumber(redis.call('HGET', counts, 'version') or '0') + 1)
  redis.call('HSET', counts, 'version', string.format('%.0f', version))
  return version
end

-- What keeps evidence from being added to the sums, as {-2, edge, its width, theirs}, or nothing.
local function misfit(added)
  for _, each in ipairs(added) do
    local bytes = redis.call('HSTRLEN', sums, each[1])
    if bytes > 0 and bytes ~= #each[2] then
      return { -2, each[1], width_of(bytes), width_of(#each[2]) }
    end
  end
end

local function add_evidence(hash, added)
  for _, each in ipairs(added) do
    add(hash, each[1], unpacked(each[2], 1))
  end
end

-- Adds evidence to the sums, which is news.
local function amend(added)
  add_evidence(sums, added)
  local version = #added > 0 and next_version()
  for _, each in ipairs(added) do
    redis.call('ZADD', versions, version, each[1])
  end
end

local function gram_of(lessons, seen, width)
  local totals, size = {}, width * (width + 1) / 2
  local gram = {}
  for place = 1, size do gram[place] = 0 end
  for each = 1, seen do
    totals[each] = { 0, 0 }
    for place = 1, width do totals[each][2 + place] = 0 end
  end
  for _, numbers in ipairs(lessons) do
    local weight, before, place = numbers[1], 1 + seen, 0
    local last = before + width
    for row = 1, width do
      local weighted = weight * numbers[before + row]
      for column = before + row, last do
        place = place + 1
        gram[place] = gram[place] + weighted * numbers[column]
      end
      for each = 1, seen do
        local total = totals[each]
        total[2 + row] = total[2 + row] + weighted * numbers[1 + each]
      end
    end
    for each = 1, seen do
      local total, y = totals[each], numbers[1 + each]
      total[1], total[2] = total[1] + weight, total[2] + weight * y * y
    end
  end
  return gram, totals
end

local function fold_alike(head, lessons, version)
  local edges = edges_of(head)
  local width = #lessons[1] - 1 - #edges
  local gram, totals = gram_of(lessons, #edges, width)
  for each, edge in ipairs(edges) do
    local numbers, total = {}, totals[each]
    for place = 1, #gram do numbers[place] = gram[place] end
    for place = 1, width do numbers[#numbers + 1] = total[2 + place] end
    numbers[#numbers + 1], numbers[#numbers + 2] = total[1], total[2]
    add(sums, edge, numbers)
    redis.call('ZADD', versions, version, edge)
  end
end

-- Adds every lesson that waits to the sums.
local function fold()
  local waiting = redis.call('LRANGE', pending, 0, -1)
  if #waiting == 0 then return end
  redis.call('DEL', pending)
  local alike, version = {}, next_version()
  for _, lesson in ipairs(waiting) do
    local head = head_of(lesson)
    alike[head] = alike[head] or {}
    table.insert(alike[head], unpacked(lesson, 3 + #head))
  end
  for head, lessons in pairs(alike) do
    fold_alike(head, lessons, version)
  end
end

-- Takes lessons in that fit; new edges get zeros, which say how wide they are.
local function learn(lessons, new)
  for _, edge in ipairs(new) do
    redis.call('HSETNX', sums, edge[1], string.rep('\0', 8 * edge[2]))
  end
  if #lessons > 0 and redis.call('RPUSH', pending, unpack(lessons)) >= MOST_PENDING then
    fold()
  end
end
