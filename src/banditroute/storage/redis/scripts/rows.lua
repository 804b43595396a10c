-- Everything on record of a decision: id, its row, prompt, outcome, judgements; what there is none of is false.
local function row_of(id)
  return {
    id,
    redis.call('HGET', decision, id),
    redis.call('HGET', prompt, id),
    redis.call('HGET', outcome, id),
    redis.call('HGET', feedback, id),
  }
end
