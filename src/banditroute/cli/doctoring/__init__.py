"""The work of `banditroute doctor`: what a router needs, looked at piece by piece before it is needed."""
