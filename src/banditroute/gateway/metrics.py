"""GET /metrics: the router's numbers for Prometheus, to who shows an admin's key: tenants' dollars are among them."""

from __future__ import annotations

from aiohttp import web

from banditroute.gateway.calls import Call
from banditroute.gateway.front import Route
from banditroute.gateway.workers.crew import Crew
from banditroute.telemetry import Metrics, exposition, merged

METRICS = "metrics"
"""What another worker asks for."""


def metrics_route(metrics: Metrics, crew: Crew | None = None) -> Route:
    """The route; the metrics have to watch the router. Whichever worker is asked, the others' numbers are told too."""
    crew = Crew() if crew is None else crew

    async def scraped(call: Call) -> web.StreamResponse:
        body, content_type = exposition(metrics, worker=crew.name)
        others = await crew.siblings.ask(METRICS)
        return call.answer_bytes(merged([body, *others]) if others else body, content_type=content_type)

    return Route("GET", "/metrics", scraped, access="admin")
