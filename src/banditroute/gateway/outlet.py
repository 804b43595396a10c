"""Answers on their way out: hung up on where nobody reads them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable
from contextlib import asynccontextmanager
from typing import cast

from aiohttp import web

from banditroute.gateway.calls import Call

_PIECE_BYTES = 256 * 2**10  # read within `unread_s` by whoever has 35 kbit/s


@asynccontextmanager
async def opened(call: Call) -> AsyncGenerator[Outlet]:
    """A stream of server-sent events whose head is sent; its end is sent at the end."""
    call.headers["Content-Type"] = "text/event-stream; charset=utf-8"
    call.headers["Cache-Control"] = "no-cache"
    call.headers["X-Accel-Buffering"] = "no"  # nginx would collect the pieces
    response = web.StreamResponse(headers=call.headers)
    await response.prepare(call.request)
    outlet = Outlet(response, call.request.transport, call.bounds.unread_s)
    try:
        yield outlet
        await outlet.end()
    finally:
        outlet.close()


async def sent(call: Call, response: web.StreamResponse) -> web.StreamResponse:
    """The answer, sent to its end unless its handler has done that already; raises ConnectionError as writing does."""
    if response.prepared or not isinstance(response, web.Response):
        return response
    body = response.body
    pieces: tuple[bytes, ...] = ()
    if isinstance(body, bytes) and len(body) > _PIECE_BYTES:
        pieces = tuple(body[start : start + _PIECE_BYTES] for start in range(0, len(body), _PIECE_BYTES))
        response = _open_like(response, len(body))
    outlet = Outlet(response, call.request.transport, call.bounds.unread_s)
    try:
        await response.prepare(call.request)
        for piece in pieces:
            await outlet.write(piece)
        await outlet.end()
    finally:
        outlet.close()
    return response


def _open_like(whole: web.Response, length: int) -> web.StreamResponse:
    """A response with a whole one's head, for a body that goes out in pieces: a slow reader still is one."""
    response = web.StreamResponse(status=whole.status, headers=whole.headers)
    response.content_length = length
    if whole.keep_alive is False:
        response.force_close()
    return response


class Outlet:
    """Writes to a caller, and hangs up on one who does not read on.

    Args:
        response: its head is sent.
        transport: the connection; None where it is lost already.
        unread_s: how long a write may wait for the caller to read.
    """

    def __init__(self, response: web.StreamResponse, transport: asyncio.BaseTransport | None, unread_s: float) -> None:
        self.response = response
        self._transport = transport
        self._unread_s = unread_s
        self._loop = asyncio.get_running_loop()
        self._waiting_since = 0.0  # of a write that goes on; 0 = none does
        self._watch = self._loop.call_later(unread_s, self._look)

    async def write(self, data: bytes) -> None:
        """Writes; returns once the caller has read enough for more."""
        if data:
            await self._watched(self.response.write(data))

    async def end(self) -> None:
        """Writes what is left of the response, and that it is over."""
        await self._watched(self.response.write_eof())

    def close(self) -> None:
        """Ends the watch."""
        self._watch.cancel()

    async def _watched(self, writing: Awaitable[None]) -> None:
        self._waiting_since = self._loop.time()
        await writing
        self._waiting_since = 0.0

    def _look(self) -> None:
        """Looks once in a while, rather than setting a timer for every piece."""
        waited_s = self._loop.time() - self._waiting_since if self._waiting_since else 0.0
        if waited_s < self._unread_s:
            self._watch = self._loop.call_later(self._unread_s - waited_s, self._look)
        elif self._transport is not None:
            # This cancels the handler, as a caller does who hangs up.
            cast("asyncio.Transport", self._transport).abort()
