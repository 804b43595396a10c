"""Budget tuning: what a budget buys, what a quality costs, and how sure that is."""
