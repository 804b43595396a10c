"""Replaying outcome tables: what a router that learns online would have got."""
