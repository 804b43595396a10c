-- Decisions by what their callers call the request and the conversation, which stand first in a row that has them: a
-- member for each name, so that those of one name stand together in the order in which they were taken in.
local function members_of(id)
  local row = redis.call('HGET', decision, id)
  local members = {}
  if row and string.match(row, '^[^\n]*\n{"%a+_id":') then
    local begun = cjson.decode(string.match(row, '\n(.*)$'))
    local seq = string.format('%020d', redis.call('ZSCORE', order, id))
    for _, kind in ipairs({ 'request_id', 'session_id' }) do
      if begun[kind] then
        members[#members + 1] = kind .. ' ' .. begun[kind] .. '\0' .. seq .. id
      end
    end
  end
  return members
end
local function name(id)
  for _, member in ipairs(members_of(id)) do
    redis.call('ZADD', names, 0, member)
  end
end
local function unname(id)
  for _, member in ipairs(members_of(id)) do
    redis.call('ZREM', names, member)
  end
end
