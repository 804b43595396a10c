"""The front of every handler: names the call, lets its caller in, keeps the bounds, and answers what fails."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

import orjson
from aiohttp import web

from banditroute.errors import BanditrouteError
from banditroute.gateway.access_log import Log
from banditroute.gateway.auth import Doorkeeper
from banditroute.gateway.calls import Bounds, Call, Handler, request_id_of
from banditroute.gateway.limits import Gate, Turnstile
from banditroute.gateway.outlet import sent
from banditroute.gateway.patience import Patience
from banditroute.gateway.refusals import DEFECT, Refusal, refused
from banditroute.gateway.wire_errors import ErrorBody, StatusOf, error_headers, openai_error, own_status, refusal_of
from banditroute.router import Router

Access = Literal["open", "key", "admin"]

_HUNG_UP = 499  # nginx's word for a caller who did not wait; never sent
_TOO_DEEP = Refusal(400, "the body is nested too deeply", "invalid_json")


@dataclass(frozen=True, slots=True)
class Route:
    """What is served where.

    Attributes:
        method, path: as aiohttp's router has them.
        handler: answers.
        access: who may ask: anybody, who shows a key, or who shows an admin's.
        working: it has models work, so that it counts among the requests that are bounded.
        errors: writes refusals in the caller's protocol; status: under which status.
        fields: what the protocol calls fields that the library calls otherwise, by the library's names.
    """

    method: str
    path: str
    handler: Handler
    access: Access = "key"
    working: bool = False
    errors: ErrorBody = openai_error
    status: StatusOf = own_status
    fields: Mapping[str, str] = field(default_factory=dict[str, str])


class Front:
    """Stands before every handler; one event loop, one owner.

    Attributes:
        router: answers.
        doorkeeper: lets callers in; may be replaced while others are served.
        gate: bounds what is in work.
        patience: with connections that have said nothing yet.
        draining: nobody new is let in.
        closing: the gateway ends: whoever only watches stops watching.
    """

    def __init__(
        self,
        router: Router,
        doorkeeper: Doorkeeper,
        gate: Gate,
        turnstile: Turnstile,
        patience: Patience,
        bounds: Bounds,
        log: Log,
    ) -> None:
        self.router = router
        self.doorkeeper = doorkeeper
        self.gate = gate
        self.patience = patience
        self.draining = False
        self.closing = asyncio.Event()
        self._turnstile = turnstile
        self._bounds = bounds
        self._log = log
        self._in_work: set[asyncio.Task[object]] = set()

    def serving(self, route: Route) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        """What aiohttp calls for a route."""

        async def serve(request: web.Request) -> web.StreamResponse:
            call = Call(request, self.router, self._bounds, request_id_of(request), time.monotonic())
            task = asyncio.current_task()
            assert task is not None, "aiohttp serves each request in a task"
            self._in_work.add(task)
            self.patience.heard(request.protocol)
            status = _HUNG_UP
            try:
                response = await self._answered(call, route)
                if self.draining:
                    response.force_close()
                response = await sent(call, response)
                status = response.status
            finally:
                self._in_work.discard(task)
                self._log.answered(call, status, time.time(), time.monotonic() - call.began)
            return response

        return serve

    def check_welcome(self) -> None:
        """Returns if new requests are let in.

        Raises:
            RefusedError: they are not, because the gateway ends or an operator drains it.
        """
        if self.draining:
            raise refused(503, "the gateway takes no new requests at the moment", "shutting_down")

    async def drain(self, within_s: float) -> None:
        """Lets nobody new in, waits for what is being answered, and gives up what is not by then."""
        self.draining = True
        self.closing.set()
        if self._in_work:
            await asyncio.wait(self._in_work, timeout=within_s)
        self.give_up()
        if self._in_work:
            await asyncio.wait(self._in_work)

    def give_up(self) -> None:
        """Cuts off what is being answered; the router settles it."""
        for task in self._in_work:
            task.cancel()

    async def _answered(self, call: Call, route: Route) -> web.StreamResponse:
        """The handler's answer, or that of what went wrong."""
        try:
            return await self._admitted(call, route)
        except BanditrouteError as error:
            refusal = refusal_of(error)
            if refusal is DEFECT:
                self._log.defect(call, error)
            return _refusing(call, refusal, route)
        except RecursionError:
            return _refusing(call, _TOO_DEEP, route)
        except (ConnectionError, web.HTTPException):
            raise
        except Exception as error:  # noqa: BLE001 - the edge: a defect is one caller's bad answer, not everybody's
            self._log.defect(call, error)
            return _refusing(call, DEFECT, route)

    async def _admitted(self, call: Call, route: Route) -> web.StreamResponse:
        if route.access != "open":
            call.caller = self.doorkeeper.admit(call.request.headers)
            if route.access == "admin" and not call.caller.admin:
                raise refused(403, "this takes an admin's key", "not_allowed")
        if not route.working:
            return await route.handler(call)
        self.check_welcome()
        self._turnstile.turn(call.caller, call.began)
        with self.gate.entered():
            return await route.handler(call)


def _refusing(call: Call, refusal: Refusal, route: Route) -> web.Response:
    refusal = refusal.in_words(route.fields)
    call.failure = refusal.code
    call.decision_id = call.decision_id or refusal.decision_id or ""
    call.headers.update(error_headers(refusal))
    return call.answer_bytes(orjson.dumps(route.errors(refusal)), route.status(refusal))
