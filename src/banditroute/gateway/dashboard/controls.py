"""POST /dashboard/api/...: what an admin's key may do: drain, switch everything to one model, freeze, reload.

None of it can be brought about by another site's page: the key comes in a header, which a browser does not add by
itself, and so does a mark that a page of another origin may not send without asking, which is never allowed.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from aiohttp import web

from banditroute.errors import ConfigError, MissingExtraError
from banditroute.gateway.access_log import Log
from banditroute.gateway.calls import Call, Handler
from banditroute.gateway.dashboard.panel import Panel
from banditroute.gateway.front import Front
from banditroute.gateway.refusals import refused
from banditroute.gateway.workers.siblings import Siblings
from banditroute.records import Json
from banditroute.router import Router

MARK = "x-banditroute-dashboard"
DRAIN, RELOAD = "drain", "reload"
"""What other workers are asked to do as well."""

Reload = Callable[[], Awaitable[object]]
"""Puts the configuration in force as it is now; raises ConfigError or MissingExtraError where it cannot be used."""


class Controls:
    """Does what operators ask for, and leaves word of who did.

    Args:
        router: whose switches they are.
        front: is drained.
        panel: shows what was done.
        reload: reloads.
        log: keeps who did what.
        siblings: the other workers, which do it too.
    """

    def __init__(
        self, router: Router, front: Front, panel: Panel, reload: Reload, log: Log, siblings: Siblings
    ) -> None:
        self._router = router
        self._front = front
        self._panel = panel
        self._reload = reload
        self._log = log
        self._siblings = siblings

    @property
    def handlers(self) -> dict[str, Handler]:
        """What answers at which name."""
        done = {"switch": self._switch, "freeze": self._freeze, "drain": self._drain, "reload": self._anew}
        return {name: self._handler(do) for name, do in done.items()}

    def _handler(self, do: Callable[[Json], Awaitable[str]]) -> Handler:
        async def handle(call: Call) -> web.StreamResponse:
            if MARK not in call.request.headers:
                raise refused(403, f"a request for this carries the header {MARK}", "not_allowed")
            done = await do(await call.json())
            who = call.caller.name or "somebody on this machine"
            self._log.event("Operated", {"key": call.caller.name, "done": done, "request_id": call.request_id})
            self._panel.operated(who, done)
            return call.answer({"done": done})

        return handle

    async def _switch(self, body: Json) -> str:
        model = body.get("model")
        if model is not None and not isinstance(model, str):
            raise refused(400, "model: expected a model's name, or null", "invalid_value", field="model")
        try:
            await self._router.switch_to(model)
        except ConfigError as error:
            raise refused(404, str(error), "model_not_found", field="model") from None
        return "let the router choose again" if model is None else f"switched everything to {model}"

    async def _freeze(self, body: Json) -> str:
        if _truth(body, "frozen"):
            await self._router.freeze()
            return "froze exploration"
        await self._router.unfreeze()
        return "let models be tried again"

    async def _drain(self, body: Json) -> str:
        draining = _truth(body, "draining")
        if self._front.closing.is_set():
            raise refused(409, "the gateway is shutting down", "shutting_down")
        self._front.draining = draining
        await self._siblings.ask(DRAIN, "yes" if draining else "no")
        return "had new requests refused" if draining else "let new requests in again"

    async def _anew(self, body: Json) -> str:  # noqa: ARG002
        try:
            changes = await self._reload()
        except (ConfigError, MissingExtraError) as error:
            raise refused(409, str(error), "not_reloaded") from None
        await self._siblings.ask(RELOAD)
        return f"reloaded the configuration: {changes}"


def _truth(body: Json, field: str) -> bool:
    value = body.get(field)
    if not isinstance(value, bool):
        raise refused(400, f"{field}: expected true or false", "invalid_value", field=field)
    return value
