"""`banditroute evaluate`: what other policies would have got on logged traffic."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from banditroute.cli import arguments
from banditroute.cli.chart_files import Export, Report, check_export


class Estimator(StrEnum):
    """The estimators by the names that people type."""

    ips = "ips"
    snips = "snips"
    dm = "dm"
    dr = "dr"
    switch_dr = "switch-dr"


Policies = Annotated[
    list[str] | None,
    typer.Option(
        metavar="NAME",
        help="fixed:MODEL, uniform, shadow[:NAME] or a router.toml; repeatable. "
        "[default: each model, uniform, and shadows that the log has]",
    ),
]
Estimators = Annotated[list[Estimator] | None, typer.Option(help="Repeatable. [default: all of them]")]
LogPolicy = Annotated[str | None, typer.Option(metavar="NAME", help="Only rows that this policy logged.")]


def command(
    log: Annotated[
        Path, typer.Argument(metavar="LOG", help="Decision log: .jsonl or .jsonl.gz; or a router.toml: its store.")
    ],
    log_policy: LogPolicy = None,
    policy: Policies = None,
    estimator: Estimators = None,
    leave_out: Annotated[
        bool, typer.Option("--leave-out", help="Go on without rows that cannot be evidence, and count them.")
    ] = False,
    seed: Annotated[int, typer.Option(metavar="N", min=0, help="Chance of the bootstrap.")] = 0,
    json: Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")] = False,
    report: Report = None,
    export: Export = None,
) -> None:
    """Say what other policies would have got on your traffic.

    Quality, dollars and seconds, with intervals. Rests on decisions that a router drew by chance, each weighed by how
    likely the other policy would have made it too. A verdict comes only where the log carries one; else a sentence says
    what is missing.
    """
    arguments.check_report(report)
    check_export(export)

    from banditroute.cli.evaluating import Asked, run  # numpy and rich, which --help can do without

    asked = Asked(
        log=log,
        log_policy=log_policy,
        policies=tuple(dict.fromkeys(policy or ())),
        estimators=tuple(dict.fromkeys(each.value for each in estimator or Estimator)),
        leave_out=leave_out,
        seed=seed,
    )
    run(asked, json=json, report=report, export=export)
