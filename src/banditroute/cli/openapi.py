"""`banditroute openapi`: what the gateway serves, as an OpenAPI document."""


def command() -> None:
    """Print the OpenAPI 3.1 document of the gateway, as it serves it at /openapi.json.

    For generators of clients, and for tests. It holds nothing of a configuration.
    """
    from banditroute.cli.documenting import run  # aiohttp, which --help can do without

    run()
