"""What there is to report of a router's store: its log in bins of time, its beliefs, its budgets."""
