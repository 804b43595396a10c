-- keys: sums pending versions counts spent paid holders leases circuits
-- uses: arguments vectors folding exchanging
-- Takes in what a process tells and tells it the news.
local function always() return true end
return exchanged(always, always)
