"""`banditroute report`: what a month cost, saved and was worth."""

from pathlib import Path
from typing import Annotated

import typer

_EVIDENCE = 50_000


def command(
    month: Annotated[str, typer.Option(metavar="YYYY-MM", help="A month of UTC: 2026-11, this or last.")],
    config: Annotated[Path, typer.Option(metavar="router.toml", help="The router's configuration.")] = Path(
        "router.toml"
    ),
    out: Annotated[
        Path | None, typer.Option(metavar="OUT.html", help="Also write the report, one self-contained page.")
    ] = None,
    csv: Annotated[Path | None, typer.Option(metavar="DIR", help="Also write a CSV file for each table.")] = None,
    baseline: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="What to compare with: always:MODEL, best, cheapest, last-month or a router.toml; repeatable. "
            "[default: best, cheapest and last-month]",
        ),
    ] = None,
    evidence: Annotated[
        int,
        typer.Option(metavar="N", min=100, max=1_000_000, help="The most decisions to estimate baselines from."),
    ] = _EVIDENCE,
    json: Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")] = False,
) -> None:
    """Show what a month cost, saved and was worth.

    Dollars by tenant, task class and model, against the budgets and against baselines; quality by week; what happened.
    Works beside a running router, without its keys; changes nothing.
    """
    from banditroute.cli.reporting import Asked, run  # numpy and rich, which --help can do without

    run(Asked(config, month, tuple(baseline or ()), evidence), page=out, tables=csv, json=json)
