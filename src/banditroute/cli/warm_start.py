"""`banditroute warm-start`: what was measured beforehand, for a router to begin with."""

from pathlib import Path
from typing import Annotated

import typer


def command(
    source: Annotated[
        Path,
        typer.Argument(metavar="TABLE|LOG", help="Outcome table, decision log, or a router.toml for its store's."),
    ],
    config: Annotated[Path, typer.Option(metavar="FILE", help="The router that is to begin with it.")] = Path(
        "router.toml"
    ),
    out: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Where to write it. [default: NAME.policy.json beside the configuration]"),
    ] = None,
    ess: Annotated[
        float | None,
        typer.Option(metavar="N", help="Observations that each class and model is worth at most. [default: 100]"),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """Turn measured outcomes into a start that isn't random.

    Outcomes of a table or a log become evidence of bounded weight, with the price that each paced budget begins at.
    Where what is seen later disagrees, the warm evidence loses its weight by itself.
    """
    from banditroute.cli.warming import run  # numpy and rich, which --help can do without

    run(source, config, out, ess, json=json)
