"""A proxy on the way to a server that can be made to lose what is sent: a partition of the network on one machine."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

_PIECE_BYTES = 2**16


class Partition:
    """Passes connections to loopback on to a server's socket in the file system, or does not.

    Attributes:
        port: where it listens.
        swallow_requests: what clients send is taken and goes nowhere; swallow_replies: so does what the server answers.
    """

    def __init__(self, target: Path) -> None:
        self.port = 0
        self.swallow_requests = False
        self.swallow_replies = False
        self._target = target
        self._passing: set[asyncio.Task[None]] = set()
        self._writers: set[asyncio.StreamWriter] = set()

    def begin(self) -> None:
        """Nothing comes through any more, in either direction, and nobody is told."""
        self.swallow_requests = self.swallow_replies = True

    def end(self) -> None:
        """Closes the connections that have lost something, and lets others through."""
        self.swallow_requests = self.swallow_replies = False
        for writer in self._writers:
            writer.close()

    @asynccontextmanager
    async def listening(self) -> AsyncGenerator[Partition]:
        """Inside it, connections are passed on."""
        server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            self.end()
            for task in self._passing:
                task.cancel()
            await asyncio.gather(*self._passing, return_exceptions=True)
            await server.wait_closed()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            to_server = await asyncio.open_unix_connection(self._target)
        except OSError:
            writer.close()
            return
        self._writers |= {writer, to_server[1]}
        for ways in ((reader, to_server[1], True), (to_server[0], writer, False)):
            task = asyncio.create_task(self._pass_on(*ways))
            self._passing.add(task)
            task.add_done_callback(self._passing.discard)

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, requests: bool) -> None:
        with suppress(OSError):
            while data := await reader.read(_PIECE_BYTES):
                if not (self.swallow_requests if requests else self.swallow_replies):
                    writer.write(data)
        writer.close()
        self._writers.discard(writer)


@asynccontextmanager
async def partition_before(target: Path) -> AsyncGenerator[Partition]:
    """A proxy before a server's socket."""
    async with Partition(target).listening() as partition:
        yield partition
