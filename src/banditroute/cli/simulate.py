"""`banditroute simulate`: what routing would have got on a table of outcomes."""

from pathlib import Path
from typing import Annotated

import typer

from banditroute.cli import arguments
from banditroute.cli.arguments import Classes, Features, Settings
from banditroute.cli.chart_files import Export, Report, check_export
from banditroute.cli.executing import Cluster, Jobs
from banditroute.sweeping.choosing import executor_of


def command(
    table: Annotated[Path, typer.Argument(metavar="TABLE", help="Outcome table: .jsonl, .jsonl.gz, .csv or .parquet.")],
    warmup: Annotated[
        Path | None, typer.Option(metavar="TABLE", help="Outcome table that is streamed first and not scored.")
    ] = None,
    policy: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help=f"One of {', '.join(arguments.POLICIES)} or fixed:MODEL; repeatable. [default: thompson]",
        ),
    ] = None,
    budget_usd: Annotated[
        list[float] | None,
        typer.Option(metavar="X", help="Dollars per request, on average; repeatable. [default: no budget]"),
    ] = None,
    seeds: Annotated[int, typer.Option(metavar="N", help="How many random stream orders.")] = 20,
    seed: Annotated[int, typer.Option(metavar="N", help="The first seed; the others count up from it.")] = 0,
    features: Annotated[Features, typer.Option(help="Where features come from; prompt: the text.")] = Features.table,
    classes: Annotated[Classes, typer.Option(help="Where classes come from; classifier: the text.")] = Classes.table,
    scenario: Annotated[
        Path | None, typer.Option(metavar="FILE", help="What changes on the way: prices, quality, models; TOML.")
    ] = None,
    jobs: Jobs = 1,
    cluster: Cluster = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")] = False,
    report: Report = None,
    export: Export = None,
) -> None:
    """Replay a table of outcomes under dollar budgets.

    Says how good the answers would have been and what they would have cost, policy by policy, budget by budget.
    Streams the warm-up table, then TABLE, in a random order per seed; a policy sees the outcome of the model it chose
    and of no other. Only TABLE is scored. A scenario changes prices, quality, models or the budget on the way.
    """
    settings = Settings(
        policies=arguments.checked_policies(policy or ["thompson"]),
        budgets_usd=arguments.checked_budgets(budget_usd or []),
        seeds=arguments.seed_range(seed, seeds),
        features=features,
        classes=classes,
        scenario=scenario,
        executor=executor_of(jobs, cluster),
    )
    arguments.check_report(report)
    check_export(export)

    from banditroute.cli.replay import replay, show  # numpy and rich, which --help can do without

    show(replay(table, warmup, settings), json=json, report=report, export=export)
