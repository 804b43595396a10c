"""`banditroute init`: the first router.toml."""

from pathlib import Path
from typing import Annotated

import typer


def command(
    config: Annotated[Path, typer.Option(metavar="FILE", help="The file to write.")] = Path("router.toml"),
    provider: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Only this one, such as openai or ollama; repeatable. [default: all found]"),
    ] = None,
    local: Annotated[
        list[str] | None, typer.Option(metavar="URL", help="A model server to look at besides; repeatable.")
    ] = None,
    budget_usd: Annotated[
        float | None, typer.Option(metavar="X", min=0.01, help="Dollars to spend in a day, at most. [default: 5]")
    ] = None,
    local_usd_per_mtok: Annotated[
        float, typer.Option(metavar="X", min=0, help="What a million tokens of a local model cost you.")
    ] = 0.0,
    yes: Annotated[bool, typer.Option("--yes", help="Ask nothing.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there.")] = False,
) -> None:
    """Find models to route to and write a first router.toml.

    Looks for the usual key variables in the environment and for model servers at their usual ports on this machine.
    Prices come from a built-in list with a date. Keys are never written, only the names of their variables.
    """
    from banditroute.cli.starting.run import Wanted, run  # numpy and aiohttp, which --help can do without

    wanted = Wanted(config, tuple(provider or ()), tuple(local or ()), budget_usd, local_usd_per_mtok, yes, force)
    run(wanted)
