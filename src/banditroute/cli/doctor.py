"""`banditroute doctor`: does everything work that a router needs?"""

from pathlib import Path
from typing import Annotated

import typer


def command(
    config: Annotated[Path, typer.Option(metavar="FILE", help="The router's configuration.")] = Path("router.toml"),
    call: Annotated[
        bool, typer.Option("--call", help="Also make one tiny, paid call of each provider's cheapest model.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")] = False,
) -> None:
    """Look at configuration, keys, providers, clock, store, prices, budgets, gateway and extras.

    Providers are asked which models they have, which costs nothing. Exits with 1 where something is wrong.
    """
    from banditroute.cli.doctoring.run import run  # numpy and aiohttp, which --help can do without

    run(config, call=call, json=json)
