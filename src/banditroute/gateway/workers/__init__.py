"""Several processes that serve as one gateway: a supervisor that takes connections in, and workers that serve them."""
