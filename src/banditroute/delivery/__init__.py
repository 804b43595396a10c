"""All that goes out over the network: connections, keys, retries, breakers, hedges."""
