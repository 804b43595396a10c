-- What a script is told stands in one argument, part after part, each after its length: that is cheaper to send than
-- many. Lists begin with how many items there are.
local told, place = ARGV[1], 1

local function take()
  local part
  part, place = struct.unpack('<I4c0', told, place)
  return part
end

local function take_items(size)
  local list = {}
  for each = 1, tonumber(take()) do
    list[each] = {}
    for part = 1, size do
      list[each][part] = take()
    end
  end
  return list
end

local function take_list()
  local list = {}
  for each = 1, tonumber(take()) do
    list[each] = take()
  end
  return list
end

local function take_pairs() return take_items(2) end
local function take_triples() return take_items(3) end
