"""A store on a Redis server, or Valkey, which many processes on many hosts share; see `store`."""
