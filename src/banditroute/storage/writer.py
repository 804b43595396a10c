"""The thread that writes: it takes whatever waits, commits it at once, and answers all who wait with one call."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections import deque
from collections.abc import Sequence
from itertools import groupby
from queue import SimpleQueue
from typing import NamedTuple

from banditroute.errors import StoreError

from .batch import BatchWriter
from .connecting import connect_to_write
from .faults import explained, store_error
from .operations import Alone, Begin, Flush, LogOperation, Operation, Result
from .schema import migrate

_LINGER_S = 0.01  # a decision waits this long for company, as its outcome is seconds away most often
_MOST_HELD = 10_000  # decisions that wait for a disk which cannot be written; beyond it the oldest are given up


class _Asked(NamedTuple):
    operation: Operation
    future: asyncio.Future[int] | None


class Writer:
    """Owns the connection that writes, in a thread of its own. Its methods are for the event loop that opened it.

    Args:
        path: the file.
        fsync: wait for the disk at each commit.
    """

    def __init__(self, path: str, *, fsync: bool) -> None:
        self._path = path
        self._fsync = fsync
        self._loop = asyncio.get_running_loop()
        self._waiting: deque[_Asked] = deque()
        self._wakes: SimpleQueue[bool] = SimpleQueue()
        self._woken = False
        self._lingering = False
        self._ended = False
        self._asked = 0
        self._done = 0
        self._held: dict[str, Begin] = {}
        self._connection: sqlite3.Connection | None = None
        self._batches: BatchWriter | None = None
        self._thread = threading.Thread(target=self._run, name="banditroute-store", daemon=True)

    def open(self) -> None:
        """Connects, brings the file up to date, and starts the thread; takes milliseconds, so call it in a thread.

        Raises:
            StoreError: the file cannot be used.
        """
        with explained(self._path, "open the store"):
            self._connect()
        self._thread.start()

    @property
    def settled(self) -> bool:
        """Whether everything that was asked for is done, and no decision is held back for a disk that failed."""
        return self._asked == self._done and not self._held

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

    # Below this line: in the thread.

    def _run(self) -> None:
        try:
            going_on = True
            while going_on:
                going_on = self._wakes.get()
                self._woken = False  # before the queue is emptied: what comes later wakes again
                self._write(self._taken())
        finally:
            self._ended = True
            self._give_up()
            self._disconnect()

    def _taken(self) -> list[_Asked]:
        taken: list[_Asked] = []
        while self._waiting:
            taken.append(self._waiting.popleft())
        return taken

    def _write(self, taken: list[_Asked]) -> None:
        for alone, group in groupby(taken, lambda asked: isinstance(asked.operation, Alone)):
            part = list(group)
            results = [self._work(asked.operation) for asked in part] if alone else self._log(part)
            self._done += len(part)
            self._answer(part, results)

    def _log(self, part: list[_Asked]) -> Sequence[Result]:
        held = list(self._held.values())
        operations: list[LogOperation] = [*held, *(a.operation for a in part if not isinstance(a.operation, Alone))]
        if all(isinstance(operation, Flush) for operation in operations):
            return [True] * len(part)
        try:
            results = self._connect().write(operations)
        except (sqlite3.Error, StoreError) as error:
            self._hold(operations)
            problem = str(self._failed("write decisions", error))
            return [StoreError(problem) for _ in part]
        self._held.clear()
        return results[len(held) :]

    def _work(self, operation: Operation) -> Result:
        assert isinstance(operation, Alone)
        try:
            batches = self._connect()
            batches.forget()
            assert self._connection is not None
            return operation.work(self._connection)
        except (sqlite3.Error, StoreError) as error:
            return self._failed("change what is written", error)

    def _hold(self, operations: Sequence[LogOperation]) -> None:
        """Keeps decisions for when the disk can be written again; whoever waits for more than that was told."""
        self._held = {operation.decision_id: operation for operation in operations if isinstance(operation, Begin)}
        for decision_id in list(self._held)[: max(len(self._held) - _MOST_HELD, 0)]:
            del self._held[decision_id]

    def _failed(self, doing: str, error: sqlite3.Error | StoreError) -> StoreError:
        """The error to answer with; the next operation gets a new connection."""
        self._disconnect()
        return error if isinstance(error, StoreError) else store_error(self._path, doing, error)

    def _connect(self) -> BatchWriter:
        if self._batches is None:
            connection = connect_to_write(self._path, fsync=self._fsync)
            try:
                migrate(connection, self._path)
            except BaseException:
                connection.close()
                raise
            self._connection, self._batches = connection, BatchWriter(connection)
        return self._batches

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection = self._batches = None

    def _give_up(self) -> None:
        """Answers those who still wait when the thread ends; there are none unless it broke."""
        left = self._taken()
        self._answer(left, [StoreError(f"{self._path}: the store is closed; open it first")] * len(left))

    def _answer(self, part: list[_Asked], results: Sequence[Result]) -> None:
        answers = [(asked.future, r) for asked, r in zip(part, results, strict=True) if asked.future is not None]
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
