"""The thread that writes: it takes whatever waits, commits it at once, and answers all who wait with one call."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from queue import SimpleQueue
from typing import NamedTuple

from banditroute.errors import StoreError

from .committing import Committer
from .operations import Flush, Operation, Result

_LINGER_S = 0.01  # a decision waits this long for company, as its outcome is seconds away most often


class _Asked(NamedTuple):
    operation: Operation
    future: asyncio.Future[int] | None


class Writer:
    """Passes operations from one event loop to a committer in a thread of its own, as many at once as there are.

    All but `_run` and what it calls is for the event loop in which it was made. The two sides share a queue and three
    flags, each of which only one of them counts up or sets back.

    Args:
        committer: does the work; closed with the writer.
    """

    def __init__(self, committer: Committer) -> None:
        self._committer = committer
        self._loop = asyncio.get_running_loop()
        self._waiting: deque[_Asked] = deque()
        self._taken: list[_Asked] = []
        self._wakes: SimpleQueue[bool] = SimpleQueue()
        self._woken = False
        self._lingering = False
        self._ended = False
        self._asked = 0
        self._done = 0
        self._thread = threading.Thread(target=self._run, name="banditroute-store", daemon=True)

    def open(self) -> None:
        """Opens the committer and starts the thread; takes milliseconds, so call it in a thread.

        Raises:
            StoreError: the file cannot be used.
        """
        self._committer.open()
        self._thread.start()

    @property
    def settled(self) -> bool:
        """Whether everything that was asked for is done, and no decision is held back for a disk that failed."""
        return self._asked == self._done and not self._committer.holding

    def put(self, operation: Operation) -> None:
        """Has something written soon; nobody waits for it."""
        self._enqueue(_Asked(operation, None))
        if not self._lingering:
            self._lingering = True
            self._loop.call_later(_LINGER_S, self._lingered)

    def ask(self, operation: Operation) -> asyncio.Future[int]:
        """Has something written at once, after all that was asked for before; the future brings what came of it."""
        future: asyncio.Future[int] = self._loop.create_future()
        self._enqueue(_Asked(operation, future))
        self._wake()
        return future

    async def aclose(self) -> None:
        """Writes what waits, and ends the thread.

        Raises:
            StoreError: some of it could not be written.
        """
        written = self.ask(Flush())
        self._wakes.put(False)
        await asyncio.to_thread(self._thread.join)
        await written

    def _enqueue(self, asked: _Asked) -> None:
        self._asked += 1
        self._waiting.append(asked)

    def _lingered(self) -> None:
        self._lingering = False
        if self._waiting:
            self._wake()

    def _wake(self) -> None:
        if not self._woken:
            self._woken = True
            self._wakes.put(True)
        if self._ended:
            self._give_up()

    def _run(self) -> None:
        """The thread: works whenever it is woken, until it is woken for the last time."""
        try:
            going_on = True
            while going_on:
                going_on = self._wakes.get()
                self._woken = False  # before the queue is emptied: what comes later wakes again
                self._take()
                results = self._committer.commit([asked.operation for asked in self._taken])
                self._done += len(self._taken)
                self._answer(results)
        finally:
            self._ended = True
            self._give_up()
            self._committer.close()

    def _take(self) -> None:
        self._taken = []
        while self._waiting:
            self._taken.append(self._waiting.popleft())

    def _give_up(self) -> None:
        """Answers those who still wait when the thread ends; there are none unless it broke."""
        self._taken += self._waiting
        self._waiting.clear()
        self._answer([StoreError("the store's writer has ended; close the store and open it again")] * len(self._taken))

    def _answer(self, results: list[Result]) -> None:
        answers = [(asked.future, r) for asked, r in zip(self._taken, results, strict=True) if asked.future is not None]
        if answers:
            try:
                self._loop.call_soon_threadsafe(_resolve, answers)
            except RuntimeError:  # the loop is closed: nobody is left to hear of it
                return


def _resolve(answers: list[tuple[asyncio.Future[int], Result]]) -> None:
    for future, result in answers:
        if future.done():  # whoever asked was cancelled; it is written all the same
            continue
        if isinstance(result, Exception):
            future.set_exception(result)
        else:
            future.set_result(result)
