"""`banditroute demo`: a first look, live or simulated, on small tables that the package ships."""

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
    replay: Annotated[bool, typer.Option("--replay", help="Simulate the shipped table instead, in seconds.")] = False,
    local_model: Annotated[
        bool, typer.Option("--local-model", help="Route to a real, very small model on this machine instead.")
    ] = False,
    outage: Annotated[
        bool, typer.Option("--outage", help="The busiest model's server is away for a while, midway.")
    ] = False,
    budget_usd: Annotated[
        float, typer.Option(metavar="X", min=1e-9, help="Dollars per request to keep to, live.")
    ] = 0.001,
    requests: Annotated[int, typer.Option(metavar="N", min=1, max=1500, help="How many to send at most, live.")] = 1500,
    seconds: Annotated[float, typer.Option(metavar="S", min=0.1, help="How long to send for, live.")] = 16.0,
    json: Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")] = False,
    report: Annotated[
        Path | None,
        typer.Option(metavar="OUT.html", help="Also simulate, and write a report, one self-contained page."),
    ] = None,
) -> None:
    """Route real requests, live, to servers on this machine.

    Three servers answer 1,500 requests with the scores and bills that three models really got on them; the router
    learns which is worth its money and keeps a budget. Needs no network and no key.
    """
    _check(replay=replay, local_model=local_model, outage=outage)
    check_report(report)
    if replay:
        _replay(json=json, report=report)
        return
    if local_model:
        from banditroute.cli.live.local import local_demo

        local_demo(requests=requests, json=json)
    else:
        from banditroute.cli.live.command import live_demo
        from banditroute.cli.live.run import LiveSettings

        live_demo(LiveSettings(budget_usd, requests, seconds, outage), json=json)
    if report is not None:
        _report(report, silent=json)


def _check(*, replay: bool, local_model: bool, outage: bool) -> None:
    if replay and local_model:
        raise typer.BadParameter("--replay and --local-model exclude each other; choose one")
    if outage and (replay or local_model):
        raise typer.BadParameter("--outage belongs to the live demo; leave out --replay and --local-model")


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


def _replay(*, json: bool, report: Path | None) -> None:
    from banditroute.cli.replay import show  # numpy and rich, which --help can do without

    result = _simulated()
    show(result, json=json, report=report, closing=[savings(result)])


def _report(path: Path, *, silent: bool) -> None:
    from banditroute.reports import write_simulation_report

    write_simulation_report(_simulated(), path)
    if not silent:
        typer.echo(f"The same table, simulated under three budgets: report: {path}")


def _simulated() -> "SimulationResult":
    from banditroute.cli.replay import replay

    data = files("banditroute") / "data"
    with as_file(data / "demo_table.jsonl.gz") as table, as_file(data / "demo_warmup.jsonl.gz") as warmup:
        return replay(table, warmup, SETTINGS)
