-- keys: decision prompt outcome feedback
-- uses: rows
-- Everything on record of one decision.
return row_of(ARGV[1])
