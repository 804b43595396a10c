"""Where the dashboard is served, and to whom."""

from __future__ import annotations

from collections.abc import Iterator

from banditroute.gateway.access_log import Log
from banditroute.gateway.dashboard.controls import Controls, Reload
from banditroute.gateway.dashboard.files import asset, page
from banditroute.gateway.dashboard.live import Live
from banditroute.gateway.dashboard.panel import Panel
from banditroute.gateway.front import Front, Route
from banditroute.gateway.workers.siblings import Siblings


def dashboard_routes(
    front: Front, panel: Panel, reload: Reload, log: Log, siblings: Siblings | None = None
) -> Iterator[Route]:
    """The routes.

    Args:
        front: stands before the handlers.
        panel: what is shown.
        reload: reloads the configuration.
        log: keeps what operators did.
        siblings: the other workers; None = there are none.
    """
    siblings = Siblings() if siblings is None else siblings
    live, controls = Live(panel, front), Controls(front.router, front, panel, reload, log, siblings)
    yield Route("GET", "/dashboard", page, access="open")
    yield Route("GET", "/dashboard/assets/{name}", asset, access="open")
    yield Route("GET", "/dashboard/snapshot", live.snapshot)
    yield Route("GET", "/dashboard/events", live.events)
    for name, handler in controls.handlers.items():
        yield Route("POST", f"/dashboard/api/{name}", handler, access="admin")
