"""Takes connections in and passes each on, unread, to whoever has the fewest."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Sequence
from typing import Protocol

from banditroute.gateway.entrance import BACKLOG

_MOST_IN_A_TURN = 64
_AGAIN_S = 0.1


class Takers(Protocol):
    """Who connections are passed on to."""

    @property
    def is_ready(self) -> bool:
        """Whether any of them can take one."""
        ...

    def hand(self, connection: socket.socket) -> bool:
        """Passes one on; False where nobody took it."""
        ...


class Door:
    """The listening sockets of a supervisor. While nobody can serve, whoever calls waits in the system's queue.

    Balancing by the kernel (SO_REUSEPORT) would make this process superfluous, but it does it on Linux alone, by chance
    instead of by load, loses what waits in the queue of a worker that ends, and lets a second gateway share the port
    unnoticed. A socket that all workers accept from leaves most connections to whoever wakes up first.

    Args:
        listeners: bound sockets.
        takers: are given the connections.
    """

    def __init__(self, listeners: Sequence[socket.socket], takers: Takers) -> None:
        self._listeners = listeners
        self._takers = takers
        self._loop = asyncio.get_running_loop()

    def open(self) -> None:
        """Lets people in."""
        for listener in self._listeners:
            listener.listen(BACKLOG)
        self._resume()

    def close(self) -> None:
        """Has nobody come any more."""
        self._pause()
        for listener in self._listeners:
            listener.close()

    def _resume(self) -> None:
        for listener in self._listeners:
            if listener.fileno() >= 0:
                self._loop.add_reader(listener.fileno(), self._take, listener)

    def _pause(self, for_s: float | None = None) -> None:
        for listener in self._listeners:
            if listener.fileno() >= 0:
                self._loop.remove_reader(listener.fileno())
        if for_s is not None:
            self._loop.call_later(for_s, self._resume)

    def _take(self, listener: socket.socket) -> None:
        for _ in range(_MOST_IN_A_TURN):
            if not self._takers.is_ready:
                return self._pause(_AGAIN_S)
            try:
                connection, _address = listener.accept()
            except (BlockingIOError, ConnectionAbortedError):
                return None
            except OSError:  # no more file descriptors, most likely: those who wait can wait a little longer
                return self._pause(_AGAIN_S)
            with connection:
                self._takers.hand(connection)
        return None
