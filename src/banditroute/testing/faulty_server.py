"""A loopback server that speaks OpenAI's chat completions, and misbehaves as it is told to.

    async with FaultyServer() as server:
        server.script.append("429-seconds")            # the next request; after it, requests are served well
        ...                                            # or ask for a model called "fault:hang-before-head"

The names are those in `banditroute.testing.faults`; a coroutine function that takes an `Exchange` will do as well.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from types import TracebackType
from typing import Any, Self, cast

import orjson

from banditroute.testing.faults import FAULTS, Fault, lists
from banditroute.testing.faulty_exchange import Exchange

_HEAD_END = b"\r\n\r\n"
_MARK = "fault:"


class FaultyServer:
    """A server on 127.0.0.1 at a port of its own.

    Attributes:
        script: what happens to the next requests, one each.
        default: what happens once the script has run out, unless the request's model or prompt names a fault.
        hang_up_on_accept: connections are closed as soon as they are made.
        requests: POSTs that were read whole; knocks: GETs.
        connections_opened: connections ever made.
        hung_up_on: requests whose client closed the connection before they were answered.
        headers: the head of each request, names in lower case; what was asked for is ":path".
    """

    def __init__(
        self,
        script: Iterable[str | Fault] = (),
        default: str | Fault = "ok",
        *,
        tls: ssl.SSLContext | None = None,
        models: Sequence[str] = ("faulty",),
    ) -> None:
        self._tls = tls
        self._models = models
        self.script: deque[str | Fault] = deque(script)
        self.default = default
        self.hang_up_on_accept = False
        self.requests = 0
        self.knocks = 0
        self.connections_opened = 0
        self.hung_up_on = 0
        self.headers: list[Mapping[str, str]] = []
        self._connections: set[_Connection] = set()
        self._server: asyncio.Server | None = None
        self._port = 0

    @property
    def base_url(self) -> str:
        """What a provider's configuration calls base_url."""
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self._port}/v1"

    @property
    def connections(self) -> int:
        """Connections that are open now, as the server sees it."""
        return len(self._connections)

    @property
    def busy(self) -> int:
        """Connections with a request that is not answered yet."""
        return sum(connection.busy for connection in self._connections)

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def open(self) -> None:
        """Listens at a port of its own; after `aclose`, at the same one again."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Connection(self), "127.0.0.1", self._port, ssl=self._tls)
        self._port = self._server.sockets[0].getsockname()[1]

    async def aclose(self) -> None:
        """Closes every connection and the port."""
        if self._server is not None:
            self._server.close()
            self.drop_connections()
            await self._server.wait_closed()
            self._server = None
            await asyncio.sleep(0)  # connections are lost a turn after they were dropped

    def drop_connections(self) -> None:
        """Closes every connection, as a server that restarts does."""
        for connection in tuple(self._connections):
            connection.drop()

    async def settled(self, *, connections: int = 0, within_s: float = 2.0) -> bool:
        """Whether the number of open connections falls to what is expected, and none is busy, in time."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                while self.connections > connections or self.busy:
                    await asyncio.sleep(0.005)
        return self.connections <= connections and not self.busy

    def opened(self, connection: _Connection) -> bool:
        """Counts a connection; returns whether it is to be served."""
        self.connections_opened += 1
        self._connections.add(connection)
        return self._server is not None and not self.hang_up_on_accept  # a client may have come while it closed

    def closed(self, connection: _Connection, *, unanswered: bool) -> None:
        """Counts a connection out."""
        self._connections.discard(connection)
        self.hung_up_on += unanswered

    def fault_for(self, headers: Mapping[str, str], body: Mapping[str, Any]) -> Fault:
        """What is to happen to a request."""
        self.requests += 1
        self.headers.append(headers)
        chosen = self.script.popleft() if self.script else _marked(body) or self.default
        return FAULTS[chosen] if isinstance(chosen, str) else chosen

    def fault_for_a_knock(self, headers: Mapping[str, str]) -> Fault:
        """What is to happen to a GET: what happens to requests by default, where that has a name; models are listed."""
        self.knocks += 1
        default = self.default if isinstance(self.default, str) else "ok"
        return lists(self._models) if (default, headers[":path"]) == ("ok", "/v1/models") else FAULTS[default]


class _Connection(asyncio.Protocol):
    """One client's connection: reads requests one after another and lets a fault answer each."""

    def __init__(self, server: FaultyServer) -> None:
        self._server = server
        self._received = b""
        self._transport: asyncio.Transport | None = None
        self._answering: asyncio.Task[None] | None = None

    @property
    def busy(self) -> bool:
        return self._answering is not None and not self._answering.done()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is one without saying so
        if not self._server.opened(self):
            transport.close()

    def data_received(self, data: bytes) -> None:
        self._received += data
        request = _whole_request(self._received)
        if request is not None and self._transport is not None:
            self._received = b""
            headers, body = request
            fault = (
                self._server.fault_for(headers, body) if body is not None else self._server.fault_for_a_knock(headers)
            )
            exchange = Exchange(self._transport, headers, body or {})
            self._answering = asyncio.get_running_loop().create_task(fault(exchange))

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        self._server.closed(self, unanswered=self.busy)
        if self._answering is not None:
            self._answering.cancel()

    def drop(self) -> None:
        if self._transport is not None:
            self._transport.abort()


def closed_port() -> int:
    """A port of 127.0.0.1 that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _whole_request(data: bytes) -> tuple[dict[str, str], Mapping[str, Any] | None] | None:
    """The headers and the body, None where the request is no POST; None where it is not whole yet."""
    head, end, body = data.partition(_HEAD_END)
    if not end:
        return None
    asked, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    headers[":path"] = asked.split(" ")[1] if " " in asked else ""
    if len(body) < int(headers.get("content-length", "0")):
        return None
    return headers, orjson.loads(body) if data.startswith(b"POST") else None


def _marked(body: Mapping[str, Any]) -> str | None:
    """The fault that a request's model or one of its prompts names."""
    messages = body.get("messages")
    said = [each.get("content") for each in messages if isinstance(each, dict)] if isinstance(messages, list) else []
    texts = [body.get("model"), *said]
    return next((text.removeprefix(_MARK) for text in texts if isinstance(text, str) and text.startswith(_MARK)), None)
