"""GET /dashboard/events: every part of the panel, then those that changed, once a second, as server-sent events."""

from __future__ import annotations

import asyncio
from collections.abc import Generator, Mapping
from contextlib import contextmanager

import orjson
from aiohttp import web

from banditroute.gateway.auth import Caller
from banditroute.gateway.calls import Call
from banditroute.gateway.dashboard.panel import Panel
from banditroute.gateway.front import Front
from banditroute.gateway.outlet import Outlet, opened
from banditroute.gateway.refusals import RefusedError, later, refused

_EVERY_S = 1.0
_MOST_WATCHING = 16
_FULL_S = 30.0


class Live:
    """Shows the panel to so many at once.

    Args:
        panel: what is shown.
        front: says who may see it, for as long as they look, and when the gateway ends.
        most: how many may look at once.
    """

    def __init__(self, panel: Panel, front: Front, most: int = _MOST_WATCHING) -> None:
        self._panel = panel
        self._front = front
        self._most = most
        self.watching = 0

    async def snapshot(self, call: Call) -> web.StreamResponse:
        """The panel, once.

        Raises:
            RefusedError: the key is one tenant's.
        """
        check_sees_all(call.caller)
        call.headers["Cache-Control"] = "no-store"
        return call.answer({**_viewer(call.caller), **await self._panel.snapshot(_span(call))})

    async def events(self, call: Call) -> web.StreamResponse:
        """The panel as it changes, until the caller hangs up, their key is revoked, or the gateway ends.

        Raises:
            RefusedError: the key is one tenant's, or as many look as may.
        """
        check_sees_all(call.caller)
        with self._seat():
            async with opened(call) as outlet:
                await self._follow(call, outlet)
        return outlet.response

    async def _follow(self, call: Call, outlet: Outlet) -> None:
        await outlet.write(_event("viewer", orjson.dumps(_viewer(call.caller)["viewer"])))
        seen: Mapping[str, bytes] = {}
        while True:
            await self._panel.look(_span(call))
            parts = self._panel.parts(_span(call))
            news = (_event(name, body) for name, body in parts.items() if seen.get(name) is not body)
            await outlet.write(b"".join(news) or b": nothing new\n\n")
            seen = parts
            if await _passed(self._front.closing, _EVERY_S) or not self._still_known(call):
                return

    def _still_known(self, call: Call) -> bool:
        try:
            return self._front.doorkeeper.admit(call.request.headers) == call.caller
        except RefusedError:
            return False

    @contextmanager
    def _seat(self) -> Generator[None]:
        if self.watching >= self._most:
            raise later(f"{self.watching} dashboards are open already", "dashboard_full", _FULL_S)
        self.watching += 1
        try:
            yield
        finally:
            self.watching -= 1


def check_sees_all(caller: Caller) -> None:
    """Returns if a caller may see what is done on behalf of everybody.

    Raises:
        RefusedError: their key is one tenant's.
    """
    if caller.tenant and not caller.admin:
        raise refused(403, "the dashboard shows every tenant, and this key is one tenant's", "not_allowed")


def _viewer(caller: Caller) -> Mapping[str, Mapping[str, object]]:
    return {"viewer": {"name": caller.name, "admin": caller.admin}}


def _span(call: Call) -> str:
    return call.request.query.get("span", "")


def _event(name: str, body: bytes) -> bytes:
    return b"event: " + name.encode() + b"\ndata: " + body + b"\n\n"


async def _passed(event: asyncio.Event, within_s: float) -> bool:
    """Whether an event came to pass within so many seconds, which are waited for where it does not."""
    try:
        async with asyncio.timeout(within_s):
            return await event.wait()
    except TimeoutError:
        return False
