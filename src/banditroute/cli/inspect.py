"""`banditroute inspect`: what a router has learned and spent, and why it decided as it did."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from banditroute.cli.chart_files import Export

if TYPE_CHECKING:
    from banditroute.reports.store.inspection import Inspection
    from banditroute.storage.protocol import StoreReader, Trail


def command(
    config: Annotated[Path, typer.Option(metavar="router.toml", help="The router's configuration.")],
    task: Annotated[str | None, typer.Option(metavar="NAME", help="Only this task class.")] = None,
    decision: Annotated[
        str | None, typer.Option(metavar="ID", help="Everything on record of one decision instead.")
    ] = None,
    last: Annotated[
        int, typer.Option(metavar="N", min=0, max=100_000, help="How many of the newest decisions to show.")
    ] = 10,
    json: Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")] = False,
    report: Annotated[
        Path | None, typer.Option(metavar="OUT.html", help="Also write a report of the whole store, one page.")
    ] = None,
    export: Export = None,
) -> None:
    """Show what is learned, what is spent and what was decided.

    Every task class and model, every budget, and the newest decisions. Works beside a running router, without its
    keys; changes nothing.
    """
    if report is not None or export is not None:
        from banditroute.cli.inspection_report import refuse_narrowing, report_on

        refuse_narrowing(task=task, decision=decision)
        report_on(config, report, export, last, json=json)
    elif decision is None:
        _overview(config, task, last, json=json)
    else:
        _why(config, decision, json=json)


def _overview(config: Path, task: str | None, last: int, *, json: bool) -> None:
    import time

    from banditroute.cli import inspection_json, inspection_view  # numpy and rich, which --help can do without
    from banditroute.cli.inspection import narrowed
    from banditroute.cli.store_file import look, stored_plan
    from banditroute.reports.store.inspection import inspected

    plan, now = stored_plan(config), time.time()

    async def work(store: "StoreReader") -> "Inspection":
        return await inspected(plan, store, now=now, last=last)

    found = narrowed(look(plan, work), task, last)
    inspection_json.print_inspection(found) if json else inspection_view.print_inspection(found)


def _why(config: Path, decision_id: str, *, json: bool) -> None:
    from banditroute.cli import inspection_json, trail_view
    from banditroute.cli.store_file import look, stored_plan

    async def work(store: "StoreReader") -> "Trail":
        return await store.trail(decision_id)

    trail = look(stored_plan(config), work)
    inspection_json.print_trail(trail) if json else trail_view.print_trail(trail)
