"""GET /health/live and /health/ready, for whoever restarts the process and whoever sends it requests."""

from __future__ import annotations

from typing import Protocol

from aiohttp import web

from banditroute.gateway.calls import Call, Handler
from banditroute.gateway.limits import Gate
from banditroute.gateway.refusals import Refusal, RefusedError


class Drains(Protocol):
    """What is asked whether it lets anybody in."""

    @property
    def draining(self) -> bool:
        """Nobody new is let in."""
        ...

    @property
    def gate(self) -> Gate:
        """Bounds what is in work."""
        ...


async def live(call: Call) -> web.StreamResponse:
    """The process answers."""
    return call.answer({"status": "live"})


def ready_while(front: Drains) -> Handler:
    """Says whether new requests are welcome."""

    async def ready(call: Call) -> web.StreamResponse:
        if front.draining:
            raise RefusedError(Refusal(503, "the gateway is shutting down", "shutting_down"))
        await call.router.learner.store.switches()  # a small read: the store answers, or this is an error
        return call.answer({"status": "ready", "in_work": front.gate.in_work})

    return ready
