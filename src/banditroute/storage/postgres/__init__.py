"""A store in PostgreSQL, which many processes on many hosts may share: the durable log of record."""
