"""Connections that are none: replies come from a recording, or from a provider once and into it."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Collection, Mapping
from typing import cast

import aiohttp
from multidict import CIMultiDict
from yarl import URL

from banditroute.delivery.pool import Client, ClientPool
from banditroute.delivery.settings import Transport
from banditroute.testing.manual_clock import ManualClock
from banditroute.testing.recording import RecordedReply, Recording

_COME_AGAIN = (408, 425, 429)
_SERVER_FAILED = 500


class ReplayingPool(ClientPool):
    """Clients that answer from a recording.

    Args:
        recording: what is on record.
        clock: moves on by the seconds that an answer took, for which nobody waits.
    """

    def __init__(self, recording: Recording, clock: ManualClock) -> None:
        super().__init__()
        self._client = ReplayingClient(recording, clock)

    def client(self, url: URL, transport: Transport) -> Client:  # noqa: ARG002 - there is one for all
        """The client for a provider's base URL."""
        return self._client


class RecordingPool(ClientPool):
    """Clients that ask providers and put what they answer on record.

    Args:
        recording: what is on record; written as the pool is closed.
    """

    def __init__(self, recording: Recording) -> None:
        super().__init__()
        self._recording = recording

    def client(self, url: URL, transport: Transport) -> Client:
        """The client for a provider's base URL."""
        return RecordingClient(super().client(url, transport), self._recording)

    async def keep(self, used: Collection[Client]) -> None:
        """Nothing: those in use are not told from the others, and all are closed in the end."""

    async def aclose(self) -> None:
        """Closes every client, and writes what was recorded."""
        await super().aclose()
        self._recording.save()


class ReplayingClient(Client):
    """Answers from a recording; it has no connections to close."""

    def __init__(self, recording: Recording, clock: ManualClock) -> None:
        super().__init__(Transport())
        self._recording = recording
        self._clock = clock

    async def post(
        self,
        url: URL,
        headers: Mapping[str, str],  # noqa: ARG002 - keys say nothing of what is asked
        body: bytes,
        timeout: aiohttp.ClientTimeout,  # noqa: ARG002 - nothing is waited for
    ) -> aiohttp.ClientResponse:
        """What was answered.

        Raises:
            NotOnRecordError: nothing was.
        """
        reply, begun = self._recording.answer(str(url), body), self._clock()
        self._clock.reach(begun + reply.seconds)
        return replayed(reply)


class RecordingClient(Client):
    """Asks a provider, reads its answer whole, and hands on what is now on record.

    An answer that asks to come again later is handed on and not recorded: a replay is to find what came in the end.
    """

    def __init__(self, asked: Client, recording: Recording) -> None:
        super().__init__(Transport())
        self._asked = asked
        self._recording = recording

    async def post(
        self, url: URL, headers: Mapping[str, str], body: bytes, timeout: aiohttp.ClientTimeout
    ) -> aiohttp.ClientResponse:
        """The reply to a POST.

        Raises:
            aiohttp.ClientError, OSError: the connection failed; that is not put on record.
        """
        begun = time.monotonic()
        async with await self._asked.post(url, headers, body, timeout) as response:
            chunks = tuple([chunk async for chunk in response.content.iter_any()])
            reply = RecordedReply(response.status, dict(response.headers), chunks, time.monotonic() - begun)
        if reply.status in _COME_AGAIN or reply.status >= _SERVER_FAILED:
            return replayed(reply)
        return replayed(self._recording.add(str(url), headers, body, reply))


class _Content:
    """A body that is there already, one chunk for each read, as it came."""

    def __init__(self, chunks: tuple[bytes, ...]) -> None:
        self._chunks = deque(chunks)

    def read_nowait(self) -> bytes:
        return b""  # whoever wants more reads on, so that a chunk is not joined to the next

    async def readany(self) -> bytes:
        return self._chunks.popleft() if self._chunks else b""

    def on_eof(self, callback: Callable[[], None]) -> None:
        callback()


class _Response:
    """What delivery reads of an `aiohttp.ClientResponse`."""

    def __init__(self, reply: RecordedReply) -> None:
        self.status = reply.status
        self.headers = CIMultiDict(reply.headers)
        self.content_type = self.headers.get("content-type", "application/octet-stream").partition(";")[0].strip()
        self.content_length = None
        self.content = _Content(reply.chunks)
        self.closed = False

    def close(self) -> None:
        self.closed = True


def replayed(reply: RecordedReply) -> aiohttp.ClientResponse:
    """A recorded reply to read as if it came in: aiohttp has no way to make one without a connection."""
    return cast("aiohttp.ClientResponse", _Response(reply))
