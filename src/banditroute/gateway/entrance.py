"""Where connections come in: a socket of one's own, which is the usual case; workers are handed theirs."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Protocol

from banditroute.errors import InputError

BACKLOG = 1024

Making = Callable[[], asyncio.Protocol]
"""Makes the protocol that serves a new connection."""


class Entrance(Protocol):
    """Where connections come in."""

    @property
    def host(self) -> str:
        """The name or address that was asked for."""
        ...

    def open(self, made: Making, connected: Callable[[], int]) -> AbstractAsyncContextManager[str]:
        """Inside it connections come in; brings the URL at which they do.

        Args:
            made: makes their protocols.
            connected: how many there are.

        Raises:
            InputError: nobody can listen there.
        """
        ...


@dataclass(frozen=True, slots=True)
class Place:
    """Where to listen; port 0 = any that is free."""

    host: str = "127.0.0.1"
    port: int = 8080

    @asynccontextmanager
    async def open(self, made: Making, connected: Callable[[], int]) -> AsyncGenerator[str]:  # noqa: ARG002
        """Listens, inside; brings the URL.

        Raises:
            InputError: nobody can listen there.
        """
        try:
            server = await asyncio.get_running_loop().create_server(made, self.host, self.port, backlog=BACKLOG)
        except OSError as error:
            raise self.taken(error) from None
        try:
            yield url_of(self.host, server.sockets[0].getsockname()[1])
        finally:
            server.close()

    def taken(self, error: OSError) -> InputError:
        """What to say where nobody can listen."""
        reason = os.strerror(error.errno) if error.errno else str(error)  # uvloop's own words repeat the address
        problem = f"cannot listen at {self.host}:{self.port}: {reason.lower()}"
        return InputError(problem, remedy="choose another --host or --port")


def url_of(host: str, port: int) -> str:
    """How a place is written as a URL."""
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"
