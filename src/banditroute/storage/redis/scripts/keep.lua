-- keys: index done
-- uses: once
-- Keeps something under a name, in the place of what was kept there. 1, the same write again too.
local token, name, value = ARGV[1], ARGV[2], ARGV[3]
if not was_done(token) then
  note_done(token)
  redis.call('HSET', index, name, value)
end
return 1
