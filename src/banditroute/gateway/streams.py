"""Streams on their way out as server-sent events, in the words of one protocol: settled however they end."""

from __future__ import annotations

from typing import Protocol

from aiohttp import web

from banditroute.errors import BanditrouteError
from banditroute.gateway.calls import Call
from banditroute.gateway.outlet import Outlet, opened
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
