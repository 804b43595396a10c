"""`banditroute demo`: the simulation on a small table that the package ships, for a first look."""

from importlib.resources import as_file, files
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from banditroute.cli.arguments import Settings, check_report

if TYPE_CHECKING:
    from banditroute.simulation.results import SimulationResult

SETTINGS = Settings(
    policies=("thompson", "mixture", "random"),
    budgets_usd=(0.0001, 0.0005, 0.003),
    seeds=range(10),
)


def command(
    json: Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")] = False,
    report: Annotated[
        Path | None, typer.Option(metavar="OUT.html", help="Also write a report, one self-contained page.")
    ] = None,
) -> None:
    """Replay a small table that is shipped.

    Routes 900 real requests among three models under three budgets; needs no network and no key.
    """
    check_report(report)

    from banditroute.cli.replay import replay, show  # numpy and rich, which --help can do without

    data = files("banditroute") / "data"
    with as_file(data / "demo_table.jsonl.gz") as table, as_file(data / "demo_warmup.jsonl.gz") as warmup:
        result = replay(table, warmup, SETTINGS)
    show(result, json=json, report=report, closing=[savings(result)])


def savings(result: "SimulationResult") -> str:
    """What the headline's run would have saved against always calling the best model, in one sentence; may be empty."""
    from banditroute.reports.findings import best_fixed, telling_result
    from banditroute.reports.format import count, money

    routed, best = telling_result(result), best_fixed(result)
    if routed is None or best is None:
        return ""
    name, model = best
    paid, otherwise = float(routed.cost_usd.mean()) * result.requests, model.cost_usd * result.requests
    return (
        f"These {count(result.requests)} requests would have cost you {money(paid)} instead of {money(otherwise)} "
        f"with {name} for all: {money(otherwise - paid)} saved."
    )
