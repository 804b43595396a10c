"""`banditroute tune`: what a budget buys, and which one a quality takes."""

from pathlib import Path
from typing import Annotated

import typer

from banditroute.cli import arguments
from banditroute.cli.arguments import Classes, Features
from banditroute.cli.chart_files import Export, Report, check_export
from banditroute.cli.executing import Cluster
from banditroute.errors import InputError
from banditroute.sweeping.choosing import executor_of, processors
from banditroute.sweeping.executor import Executor

MOST_JOBS = 2

TargetQuality = Annotated[
    list[float] | None, typer.Option(metavar="Q", help="A quality to reach as cheaply as can be, 0 to 1; repeatable.")
]
BudgetUsd = Annotated[
    list[float] | None, typer.Option(metavar="X", help="Dollars per request whose quality is wanted; repeatable.")
]
Warmup = Annotated[
    Path | None, typer.Option(metavar="TABLE", help="Outcome table that is streamed first and not scored.")
]
Confidence = Annotated[float, typer.Option(metavar="P", help="How surely a quality is to be reached.")]
RequestsPerDay = Annotated[float | None, typer.Option(metavar="N", help="Forecast traffic, for dollars a month.")]
Jobs = Annotated[
    int | None,
    typer.Option(
        metavar="N",
        help=f"How many processes; 0: one for each processor. [default: likewise, but at most {MOST_JOBS}]",
    ),
]
Keep = Annotated[Path | None, typer.Option(metavar="FILE", help="Finished budgets are kept there, and gone on from.")]
LogPolicy = Annotated[str | None, typer.Option(metavar="NAME", help="Of a log, only rows that this policy logged.")]
LeaveOut = Annotated[
    bool, typer.Option("--leave-out", help="Of a log, leave rows out that cannot be evidence, and count them.")
]


def command(
    source: Annotated[
        Path,
        typer.Argument(
            metavar="TABLE|LOG", help="Outcome table, decision log, or a router.toml: the log in its store."
        ),
    ],
    target_quality: TargetQuality = None,
    budget_usd: BudgetUsd = None,
    warmup: Warmup = None,
    confidence: Confidence = 0.9,
    requests_per_day: RequestsPerDay = None,
    seeds: Annotated[int, typer.Option(metavar="N", help="How many random stream orders.")] = 20,
    seed: Annotated[int, typer.Option(metavar="N", help="The first seed; the others count up from it.")] = 0,
    features: Annotated[Features, typer.Option(help="Where features come from; prompt: the text.")] = Features.table,
    classes: Annotated[Classes, typer.Option(help="Where classes come from; classifier: the text.")] = Classes.table,
    jobs: Jobs = None,
    cluster: Cluster = None,
    keep: Keep = None,
    log_policy: LogPolicy = None,
    leave_out: LeaveOut = False,
    json: Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")] = False,
    report: Report = None,
    export: Export = None,
) -> None:
    """Find the cheapest budget for a quality, and what budgets buy.

    On an outcome table the router is replayed, budget by budget, in random orders of the table. On a decision log its
    policy is estimated from the draws that a router made. Prints the lines to paste into router.toml.
    """
    if not (target_quality or budget_usd):
        raise InputError("nothing is asked", remedy="give --target-quality Q or --budget-usd X")
    arguments.check_report(report)
    check_export(export)

    from banditroute.cli.tuning import Asked, run  # numpy and rich, which --help can do without
    from banditroute.tuning.questions import Questions

    asked = Asked(
        source=source,
        questions=Questions(
            target_quality=tuple(dict.fromkeys(target_quality or ())),
            budget_usd=tuple(dict.fromkeys(budget_usd or ())),
            confidence=confidence,
            requests_per_day=requests_per_day,
        ),
        warmup=warmup,
        seeds=arguments.seed_range(seed, seeds),
        features=features,
        classes=classes,
        executor=_executor(jobs, cluster),
        keep=keep,
        log_policy=log_policy,
        leave_out=leave_out,
    )
    run(asked, json=json, report=report, export=export)


def _executor(jobs: int | None, cluster: str | None) -> Executor:
    if jobs is None:
        jobs = min(MOST_JOBS, processors()) if cluster is None else 1
    return executor_of(jobs, cluster)
