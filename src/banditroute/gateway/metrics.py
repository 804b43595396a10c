"""GET /metrics: the router's numbers for Prometheus, to who shows an admin's key: tenants' dollars are among them."""

from __future__ import annotations

from aiohttp import web

from banditroute.gateway.calls import Call
from banditroute.gateway.front import Route
from banditroute.telemetry import Metrics, exposition


def metrics_route(metrics: Metrics) -> Route:
    """The route; the metrics have to watch the router."""

    async def scraped(call: Call) -> web.StreamResponse:
        body, content_type = exposition(metrics)
        return call.answer_bytes(body, content_type=content_type)

    return Route("GET", "/metrics", scraped, access="admin")
