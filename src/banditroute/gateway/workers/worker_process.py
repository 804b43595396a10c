"""A worker as its supervisor sees it: a process at the other end of a channel."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import sys
from collections.abc import Callable
from pathlib import Path

from banditroute.gateway.workers.channel import (
    END,
    Connected,
    Failed,
    Leaving,
    Order,
    Ready,
    Word,
    hand_over,
    word_of,
)
from banditroute.gateway.workers.job import Job

_MODULE = "banditroute.cli.worker"
_AGAIN_S = 0.1
_MOST_SAID = 65_536  # bytes


class Worker:
    """One process; started by `started`.

    Args:
        job: what it was started to do.
        process: the process.
        channel: this end of what leads to it.
        changed: is called when it has become ready, or cannot be.

    Attributes:
        is_ready: connections may be handed over to it.
        was_ready: they could be at some time.
        problem: why it could not serve; empty where it did not say.
    """

    def __init__(
        self, job: Job, process: asyncio.subprocess.Process, channel: socket.socket, changed: Callable[[], None]
    ) -> None:
        self.job = job
        self.is_ready = self.was_ready = False
        self.problem = ""
        self._process = process
        self._channel = channel
        self._changed = changed
        self._said = b""
        self._handed = 0
        self._heard = Connected(0, 0)
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(channel.fileno(), self._listen)

    @property
    def pid(self) -> int:
        """The process's id."""
        return self._process.pid

    @property
    def connections(self) -> int:
        """How many it has, those included that are on their way to it."""
        return self._heard.now + self._handed - self._heard.taken

    def hand(self, connection: socket.socket) -> bool:
        """Hands a connection over; False where that cannot be done at the moment."""
        try:
            hand_over(self._channel, connection)
        except OSError:
            return False
        self._handed += 1
        return True

    def order(self, order: Order) -> None:
        """Gives an order, behind all that it was handed before."""
        if order == END:
            self.is_ready = False
        if self._channel.fileno() < 0:
            return
        try:
            self._channel.send(order)
        except BlockingIOError:
            self._loop.call_later(_AGAIN_S, self.order, order)
        except OSError:  # it is gone, as its end will tell
            return

    def kill(self) -> None:
        """Ends it at once."""
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()

    async def ended(self) -> int:
        """Its exit code once it has ended; below zero = minus the signal that ended it."""
        code = await self._process.wait()
        self._listen()  # its last words may not have been read
        self.is_ready = False
        if self._channel.fileno() >= 0:
            self._loop.remove_reader(self._channel.fileno())
            self._channel.close()
        return code

    def _listen(self) -> None:
        try:
            said = self._channel.recv(_MOST_SAID)
        except BlockingIOError:
            return
        except OSError:
            said = b""
        if not said:
            self._loop.remove_reader(self._channel.fileno())
            self.is_ready = False
            return
        *lines, self._said = (self._said + said).split(b"\n")
        for line in lines:
            self._hear(word_of(line.decode()))

    def _hear(self, word: Word) -> None:
        match word:
            case Ready():
                self.is_ready = self.was_ready = True
                self._changed()
            case Failed(problem):
                self.problem = problem
            case Connected():
                self._heard = word
            case Leaving():
                self.order(END)


async def started(job: Job, changed: Callable[[], None]) -> Worker:
    """A new worker's process, that is not ready yet.

    Args:
        job: what it is to do.
        changed: is called when it has become ready.
    """
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    with theirs:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, *_flags(), "-m", _MODULE, job.told(theirs.fileno())),
            stdin=asyncio.subprocess.DEVNULL,
            pass_fds=(theirs.fileno(),),
        )
    return Worker(job, process, ours, changed)


def _flags() -> tuple[str, ...]:
    """Has modules looked for where this process looks: in the folder that it is in only if this one does."""
    return () if sys.path[:1] in ([""], [str(Path.cwd())]) else ("-P",)
