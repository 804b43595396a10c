"""The work of `banditroute init`: what is there to route to, and a first router.toml of it."""
