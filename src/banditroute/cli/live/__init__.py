"""The live demo: model servers on loopback, a stream of requests through the router, and what it looks like."""
