-- What was done within the last day, so that the same again, which may come late and after others, changes nothing.
local KEPT_S = 86400

local function was_done(token)
  return redis.call('ZSCORE', done, token)
end

local function note_done(token)
  local now = tonumber(redis.call('TIME')[1])
  redis.call('ZADD', done, now, token)
  redis.call('ZREMRANGEBYSCORE', done, '-inf', now - KEPT_S)
end
