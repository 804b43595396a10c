"""`banditroute inspect`: what a router has learned and spent, and why it decided as it did."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from banditroute.cli.inspection import Inspection
    from banditroute.config import RouterConfig
    from banditroute.storage.protocol import Store, Trail


def command(
    config: Annotated[Path, typer.Option(metavar="router.toml", help="The router's configuration.")],
    task: Annotated[str | None, typer.Option(metavar="NAME", help="Only this task class.")] = None,
    decision: Annotated[
        str | None, typer.Option(metavar="ID", help="Everything on record of one decision instead.")
    ] = None,
    last: Annotated[int, typer.Option(min=0, help="How many of the newest decisions to show.")] = 10,
    json: Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")] = False,
) -> None:
    """Show what is learned of every task class and model, where the budgets stand, and the newest decisions.

    Works beside a running router, without its keys; changes nothing.
    """
    from banditroute.cli import inspection_json, inspection_view  # numpy and rich, which --help can do without
    from banditroute.cli.inspection import inspected
    from banditroute.cli.store_file import with_store

    if decision is not None:

        async def explain(_: "RouterConfig", store: "Store") -> "Trail":
            return await store.trail(decision)

        trail = with_store(config, explain)
        inspection_json.print_trail(trail) if json else inspection_view.print_trail(trail)
        return

    async def look(plan: "RouterConfig", store: "Store") -> "Inspection":
        return await inspected(plan, store, task=task, last=last)

    found = with_store(config, look)
    inspection_json.print_inspection(found) if json else inspection_view.print_inspection(found)
