"""Streams on their way out as server-sent events: settled however they end, and hung up on where nobody reads them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Protocol, cast

from aiohttp import web

from banditroute.errors import BanditrouteError
from banditroute.gateway.calls import Call
from banditroute.gateway.refusals import Refusal
from banditroute.gateway.told import tell_stream
from banditroute.gateway.wire_errors import refusal_of
from banditroute.records import Answer, Decision, Delta
from banditroute.routed_stream import RoutedStream


class Events(Protocol):
    """Writes a stream in the words of one protocol."""

    def begin(self, decision: Decision, model: str) -> None:
        """Takes note of what the stream is and who writes it, once its first content is there."""
        ...

    def piece(self, delta: Delta) -> bytes:
        """The events of a piece; empty where it is nothing to the caller."""
        ...

    def end(self, answer: Answer) -> bytes:
        """The last events."""
        ...

    def failure(self, refusal: Refusal) -> bytes:
        """The last events of a stream that broke off."""
        ...


async def relay(call: Call, routed: RoutedStream, events: Events) -> web.StreamResponse:
    """The stream, written to its end.

    Nothing is sent before the first content is there: what fails until then is answered like a whole request that
    fails, with a status. A caller who hangs up cancels this, which hangs up on the model and settles what had arrived.

    Raises:
        BanditrouteError: no model came as far as a first content.
    """
    async with routed as stream:
        first = await anext(stream, None)
        tell_stream(call, stream)
        events.begin(stream.decision, call.model)
        async with opened(call) as outlet:
            await _pieces(call, stream, first, events, outlet)
    return outlet.response


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
        await response.write_eof()
    finally:
        outlet.close()


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
            self._waiting_since = self._loop.time()
            await self.response.write(data)
            self._waiting_since = 0.0

    def close(self) -> None:
        """Ends the watch."""
        self._watch.cancel()

    def _look(self) -> None:
        """Looks once in a while, rather than setting a timer for every piece."""
        waited_s = self._loop.time() - self._waiting_since if self._waiting_since else 0.0
        if waited_s < self._unread_s:
            self._watch = self._loop.call_later(self._unread_s - waited_s, self._look)
        elif self._transport is not None:
            # This cancels the handler, as a caller does who hangs up.
            cast("asyncio.Transport", self._transport).abort()


async def _pieces(call: Call, stream: RoutedStream, first: Delta | None, events: Events, outlet: Outlet) -> None:
    """Writes the pieces as they come, those that came together together, and what ends them."""
    held = [] if first is None else [events.piece(first)]
    try:
        if not stream.ready:
            await outlet.write(b"".join(held))
            held.clear()
        async for delta in stream:
            held.append(events.piece(delta))
            if not stream.ready:
                await outlet.write(b"".join(held))
                held.clear()
    except BanditrouteError as error:
        refusal = refusal_of(error)
        call.failure = refusal.code
        await outlet.write(events.failure(refusal))
        return
    call.cost_usd = stream.answer.cost_usd
    await outlet.write(events.end(stream.answer))
