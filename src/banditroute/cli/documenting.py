"""Prints the gateway's OpenAPI document."""

from banditroute.cli.json_output import write_json
from banditroute.gateway.openapi.document import document


def run() -> None:
    """Prints it as JSON that people can read."""
    write_json(document())
