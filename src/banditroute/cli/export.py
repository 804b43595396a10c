"""`banditroute export`: the decision log as JSON lines."""

from pathlib import Path
from typing import Annotated

import typer


def command(
    config: Annotated[Path, typer.Option(metavar="router.toml", help="The router's configuration.")],
    out: Annotated[
        Path | None, typer.Option(metavar="OUT.jsonl[.gz]", help="Write it there instead of standard output.")
    ] = None,
    since: Annotated[
        str | None,
        typer.Option(metavar="WHEN", help="Only decisions from then on: 2026-11-25 or 2026-11-25T08:00, in UTC."),
    ] = None,
) -> None:
    """Write the decision log, one JSON line a decision.

    Only decisions that have come to their end stand in it. Quality is the mean of a decision's judgements. How many
    decisions are still open is told on standard error. Works beside a running router, without its keys; changes
    nothing. A file appears whole or not at all.
    """
    from banditroute.cli.exporting import run  # numpy and pydantic, which --help can do without

    run(config, out, since)
