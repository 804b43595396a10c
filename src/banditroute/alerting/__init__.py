"""Alerts: what whoever runs a router should hear of, found by pure state machines and told by one owner."""
