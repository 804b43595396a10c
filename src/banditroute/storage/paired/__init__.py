"""A store of two: its log in PostgreSQL, what that amounts to in Redis; see `store`."""
