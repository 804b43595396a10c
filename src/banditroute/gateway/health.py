"""GET /health/live and /health/ready, for whoever restarts the process and whoever sends it requests."""

from __future__ import annotations

from aiohttp import web

from banditroute.gateway.calls import Call, Handler
from banditroute.gateway.front import Front


async def live(call: Call) -> web.StreamResponse:
    """The process answers."""
    return call.answer({"status": "live"})


def ready_while(front: Front) -> Handler:
    """Says whether new requests are welcome."""

    async def ready(call: Call) -> web.StreamResponse:
        front.check_welcome()
        await call.router.learner.store.switches()  # a small read: the store answers, or this is an error
        return call.answer({"status": "ready", "in_work": front.gate.in_work})

    return ready
