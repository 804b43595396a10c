"""`banditroute warm-start`: what was measured beforehand, for a router to begin with."""

from pathlib import Path
from typing import Annotated

import typer


def command(
    source: Annotated[
        Path,
        typer.Argument(metavar="TABLE|LOG", help="Outcome table, as bench writes it, or decision log."),
    ],
    config: Annotated[Path, typer.Option(metavar="FILE", help="The router that is to begin with it.")] = Path(
        "router.toml"
    ),
    out: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Where to write it. [default: NAME.policy.json beside the configuration]"),
    ] = None,
    ess: Annotated[
        float, typer.Option(metavar="N", help="Observations that each class and model is worth at most.")
    ] = 100.0,
    json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """Turn measured outcomes into a start that isn't random.

    Outcomes of a table or a log become evidence of bounded weight, with the price that each paced budget begins at.
    Where what is seen later disagrees, the warm evidence loses its weight by itself.
    """
    from banditroute.cli.warming import warm_start  # numpy and rich, which --help can do without

    warm_start(source, config, out, ess, json=json)
