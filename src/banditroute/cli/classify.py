"""`banditroute classify`: the task class that a request would be taken for."""

from pathlib import Path
from typing import Annotated

import typer


def command(
    what: Annotated[
        str, typer.Argument(metavar="TEXT|FILE", help="A prompt; or a file of JSON lines, or - for standard input.")
    ],
    config: Annotated[
        Path | None, typer.Option(metavar="router.toml", help="Use its rules and its own classes.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Say which task class a prompt belongs to, and how surely.

    FILE holds one {"id", "text"} a line; out comes one line for each, {"id", "task", "probability"}. What is not sure
    is general, with the likeliest class beside it.
    """
    from banditroute.cli.classifying import run  # numpy, which --help can do without

    run(what, config, json=json)
