"""What a supervisor and a worker say to each other, over a pair of sockets that one inherits from the other.

Down go single bytes: an order, or a connection that is handed over with it. Up go lines: that the worker is ready, that
it cannot be and why, how many connections it has. The end of the channel is word that the other is gone.

Orders go this way and not as signals, because signals reach workers by other ways too: a terminal's Ctrl-C and a
service manager's SIGTERM are sent to every process of a group, and what is told twice would count as impatience.
"""

from __future__ import annotations

import array
import asyncio
import socket
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Literal

from banditroute.gateway.entrance import Making

Order = Literal[b"e", b"g", b"r"]

END: Order = b"e"
GIVE_UP: Order = b"g"
RELOAD: Order = b"r"
_CONNECTION = b"c"
_READY, _FAILED, _CONNECTED, _LEAVING = "ready", "failed", "connected", "leaving"
_MOST_IN_A_TURN = 64
_TELL_EVERY_S = 0.2


@dataclass(frozen=True, slots=True)
class Ready:
    """The worker can serve."""


@dataclass(frozen=True, slots=True)
class Failed:
    """The worker cannot serve, for this reason."""

    problem: str


@dataclass(frozen=True, slots=True)
class Connected:
    """The worker has so many connections, of so many that it was handed so far."""

    now: int
    taken: int


@dataclass(frozen=True, slots=True)
class Leaving:
    """Somebody else told the worker to end: it asks for the order, behind which no connection comes any more."""


Word = Ready | Failed | Connected | Leaving


def hand_over(channel: socket.socket, connection: socket.socket) -> None:
    """Gives a connection away; the caller's own end of it is to be closed.

    Raises:
        OSError: it could not be sent.
    """
    rights = array.array("i", [connection.fileno()])
    channel.sendmsg([_CONNECTION], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, rights)])


def word_of(line: str) -> Word:
    """What a worker said in a line."""
    kind, _, rest = line.partition(" ")
    if kind == _READY:
        return Ready()
    if kind == _FAILED:
        return Failed(rest)
    if kind == _LEAVING:
        return Leaving()
    now, taken = rest.split()
    return Connected(int(now), int(taken))


class Channel:
    """A worker's end: its orders, and where its connections come from.

    Args:
        end: the inherited socket.
        host: where the supervisor listens, as it was asked for; url: the same as a URL.

    Attributes:
        ended: it was told to end, or the supervisor is gone; changed: it was told to reload.
        give_up: is called where it is told not to wait for what is in work.
        host: as above.
    """

    def __init__(self, end: socket.socket, host: str, url: str) -> None:
        self.ended, self.changed = asyncio.Event(), asyncio.Event()
        self.give_up: Callable[[], None] = _nothing
        self.host = host
        self._url = url
        self._end = end
        self._end.setblocking(False)
        self._loop = asyncio.get_running_loop()
        self._made: Making | None = None
        self._taken = 0
        self._taking: set[asyncio.Task[object]] = set()

    def __enter__(self) -> Channel:
        self._loop.add_reader(self._end.fileno(), self._read)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.remove_reader(self._end.fileno())
        self._end.close()

    @asynccontextmanager
    async def open(self, made: Making, connected: Callable[[], int]) -> AsyncGenerator[str]:
        """Takes over connections, inside; brings the URL at which they come in."""
        self._made = made
        telling = asyncio.create_task(self._keep_telling(connected))
        try:
            yield self._url
        finally:
            self._made = None
            telling.cancel()
            await asyncio.gather(telling, *self._taking, return_exceptions=True)

    def ready(self) -> None:
        """Says that connections may come."""
        self._say(_READY)

    def failed(self, problem: str) -> None:
        """Says why there is nobody to serve them."""
        self._say(f"{_FAILED} {' '.join(problem.split())}")

    def leave(self) -> None:
        """Asks to be told to end."""
        self._say(_LEAVING)

    async def _keep_telling(self, connected: Callable[[], int]) -> None:
        told = (0, 0)
        while True:
            await asyncio.sleep(_TELL_EVERY_S)
            now = (connected(), self._taken)
            if now != told and self._say(f"{_CONNECTED} {now[0]} {now[1]}"):
                told = now

    def _say(self, line: str) -> bool:
        try:
            self._end.sendall(f"{line}\n".encode())
        except OSError:  # the supervisor is gone, which reading tells; or it is busy and will be told again
            return False
        return True

    def _read(self) -> None:
        for _ in range(_MOST_IN_A_TURN):
            try:
                said, handles, *_ = socket.recv_fds(self._end, 1, 1)
            except BlockingIOError:
                return
            except OSError:
                said, handles = b"", []
            if said == _CONNECTION:
                self._take([socket.socket(fileno=handle) for handle in handles])
            elif not self._follow(said):
                return

    def _take(self, connections: list[socket.socket]) -> None:
        self._taken += 1
        for connection in connections:
            if self._made is None:
                connection.close()
                continue
            connection.setblocking(False)
            taking = asyncio.create_task(self._serve(self._made, connection))
            self._taking.add(taking)
            taking.add_done_callback(self._taking.discard)

    async def _serve(self, made: Making, connection: socket.socket) -> None:
        try:
            await self._loop.connect_accepted_socket(made, connection)
        except OSError:  # who called has hung up already
            connection.close()

    def _follow(self, order: bytes) -> bool:
        """Does what it is told; False where nobody is left to tell it anything."""
        if order == RELOAD:
            self.changed.set()
        elif order == GIVE_UP:
            self.give_up()
        else:
            self.ended.set()
        if not order:
            self._loop.remove_reader(self._end.fileno())
        return bool(order)


def _nothing() -> None:
    """Nothing is in work yet."""
