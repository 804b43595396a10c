"""Anthropic's Messages protocol in front of the router, whoever serves behind it."""
