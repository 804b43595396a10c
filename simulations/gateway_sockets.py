"""Callers who speak no HTTP, or hardly: crowds of connections that say nothing while somebody else is served."""

from __future__ import annotations

import asyncio
import time
from typing import NamedTuple

ASK = b'{"messages": [{"role": "user", "content": "hello"}]}'
_AT_ONCE = 200


class Seen(NamedTuple):
    """What came of a crowd: connections that were still open at the end, and how others fared meanwhile."""

    opened: int
    asked: int
    answered: int
    slowest_s: float


def request(path: str = "/v1/chat/completions", body: bytes = ASK, *headers: str) -> bytes:
    """A request as it goes over the wire."""
    head = (f"POST {path} HTTP/1.1", "Host: 127.0.0.1", f"Content-Length: {len(body)}", *headers)
    return "\r\n".join((*head, "", "")).encode() + body


def crowd(port: int, count: int) -> Seen:
    """The same as `idle`, on a loop of its own."""
    return asyncio.run(idle(port, count))


async def idle(port: int, count: int, asked: int = 20) -> Seen:
    """Opens that many connections which have each been answered once and now say nothing, and asks beside them."""
    streams: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []
    try:
        for _ in range(0, count, _AT_ONCE):
            some = min(_AT_ONCE, count - len(streams))
            streams += await asyncio.gather(*(_greeted(port) for _ in range(some)))
        waits = [await _answered(port) for _ in range(asked)]
        opened = sum(not reader.at_eof() for reader, _ in streams)
    finally:
        for _, writer in streams:
            writer.transport.abort()
    good = [wait for wait in waits if wait is not None]
    return Seen(opened, asked, len(good), max(good, default=0.0))


async def _greeted(port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET /health/live HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
    await reader.readuntil(b"}")
    return reader, writer


async def _answered(port: int) -> float | None:
    """Seconds to an answer; None where there was none."""
    began = time.perf_counter()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request("/v1/chat/completions", ASK, "Connection: close"))
    answer = await reader.read()
    writer.close()
    return time.perf_counter() - began if answer.startswith(b"HTTP/1.1 200 ") else None
