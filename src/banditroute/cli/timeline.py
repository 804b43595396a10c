"""`banditroute timeline`: what happened to a router, in order, and why."""

from pathlib import Path
from typing import Annotated

import typer


def command(
    config: Annotated[Path, typer.Option(metavar="router.toml", help="The router's configuration.")] = Path(
        "router.toml"
    ),
    since: Annotated[
        str,
        typer.Option(metavar="WHEN", help="How far back: 90min, 24h, 7d; or from when on: 2026-11-25, in UTC."),
    ] = "24h",
    json: Annotated[bool, typer.Option("--json", help="Print JSON instead of lines.")] = False,
) -> None:
    """Show what happened in order, and why.

    Starts and stops, reloads and prices, models that changed, circuits and keys, newcomers, switches, and every alert.
    Works beside a running router, without its keys; changes nothing.
    """
    from banditroute.cli.telling import run  # numpy and rich, which --help can do without

    run(config, since, json=json)
