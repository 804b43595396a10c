"""Commits what it is given, in batches, and goes on where the disk did not let it. It knows no threads and no loop."""

from __future__ import annotations

import contextlib
import sqlite3
import time
from collections.abc import Callable, Sequence
from itertools import groupby

from banditroute.errors import StoreError

from .batch import BatchWriter
from .connecting import BUSY_TIMEOUT_S, checkpoint, connect_to_write, waiting
from .faults import explained, is_locked, may_pass, store_error
from .operations import Alone, Begin, Exchange, Flush, LogOperation, Operation, Result
from .schema import migrate

_AGAIN_S = 0.02
_MOST_HELD = 10_000  # decisions that wait for a disk which cannot be written; beyond it the oldest are given up


class LockedError(Exception):
    """Another process holds the file locked, and waiting was not asked for; nothing was done."""


class Committer:
    """Owns the connection that writes.

    Args:
        path: the file.
        fsync: wait for the disk at each commit.
        clock: seconds since the epoch, by which leases run out.
    """

    def __init__(self, path: str, *, fsync: bool, clock: Callable[[], float] = time.time) -> None:
        self._path = path
        self._fsync = fsync
        self._clock = clock
        self._held: dict[str, Begin] = {}
        self._connection: sqlite3.Connection | None = None
        self._batches: BatchWriter | None = None

    @property
    def holding(self) -> bool:
        """Whether decisions are held back for a disk that could not be written."""
        return bool(self._held)

    @property
    def crowded(self) -> bool:
        """Whether another process is known to write decisions into the file too."""
        return self._batches is not None and self._batches.crowded

    def open(self) -> None:
        """Connects, and brings the file up to date.

        Raises:
            StoreError: the file cannot be used.
        """
        with explained(self._path, "open the store"):
            self._connect_patiently()

    def commit(self, operations: Sequence[Operation], *, wait: bool = True) -> list[Result]:
        """What came of each operation, in their order: as few transactions as there can be.

        Args:
            operations: what to do.
            wait: whether to wait for seconds where another process holds the file locked.

        Raises:
            LockedError: it is held, and waiting was not asked for.
        """
        if not wait:
            return self._log([each for each in operations if not isinstance(each, Exchange | Alone)], wait=False)
        results: list[Result] = []
        for _, group in groupby(operations, lambda operation: isinstance(operation, Exchange | Alone)):
            alike = list(group)
            log = [operation for operation in alike if not isinstance(operation, Exchange | Alone)]
            alone = [operation for operation in alike if isinstance(operation, Exchange | Alone)]
            results += self._log(log) if log else map(self._alone, alone)
        return results

    def checkpoint(self) -> None:
        """Copies the log beside the file into it, so that it does not grow; those who write meanwhile are not held up.

        It does not matter where that fails: the next time does both.
        """
        with contextlib.suppress(sqlite3.Error):
            checkpoint(self._path)

    def close(self) -> None:
        """Lets go of the file; a second call does nothing."""
        if self._connection is not None:
            self._connection.close()
        self._connection = self._batches = None

    def _log(self, operations: list[LogOperation], *, wait: bool = True) -> list[Result]:
        held = list(self._held.values())
        everything = [*held, *operations]
        if all(isinstance(operation, Flush) for operation in everything):
            return [True] * len(operations)
        try:
            results = self._written(everything, wait)
        except (sqlite3.Error, StoreError) as error:
            if not wait and is_locked(error):
                raise LockedError from error
            self._hold(everything)
            problem = str(self._failed("write decisions", error))
            return [StoreError(problem) for _ in operations]
        self._held.clear()
        return results[len(held) :]

    def _written(self, operations: list[LogOperation], wait: bool) -> list[Result]:
        connection, batches = self._connect()
        if not wait:
            return batches.write(operations)
        with waiting(connection):
            return batches.write(operations)

    def _alone(self, operation: Exchange | Alone) -> Result:
        try:
            connection, batches = self._connect()
            with waiting(connection):
                if isinstance(operation, Exchange):
                    return batches.exchange(operation.report, self._clock())
                batches.forget()
                return operation.work(connection)
        except (sqlite3.Error, StoreError) as error:
            return self._failed("change what is written", error)

    def _hold(self, operations: Sequence[LogOperation]) -> None:
        """Keeps decisions for when the disk can be written again; whoever waits for more than that is told."""
        begins = [operation for operation in operations if isinstance(operation, Begin)]
        self._held = {begin.decision_id: begin for begin in begins[-_MOST_HELD:]}

    def _failed(self, doing: str, error: sqlite3.Error | StoreError) -> StoreError:
        """The error to answer with; the next operation gets a new connection where this one may be of no more use."""
        if isinstance(error, StoreError):
            self.close()
            return error
        if not may_pass(error):
            self.close()
        return store_error(self._path, doing, error)

    def _connect_patiently(self) -> None:
        """Connects, also where another process makes the file at this very moment: SQLite does not wait for that."""
        give_up_at = time.monotonic() + BUSY_TIMEOUT_S
        while True:
            try:
                self._connect()
            except sqlite3.OperationalError as error:
                if not is_locked(error) or time.monotonic() > give_up_at:
                    raise
                time.sleep(_AGAIN_S)
            else:
                return

    def _connect(self) -> tuple[sqlite3.Connection, BatchWriter]:
        if self._connection is None or self._batches is None:
            connection = connect_to_write(self._path, fsync=self._fsync)
            try:
                with waiting(connection):
                    migrate(connection, self._path)
            except BaseException:
                connection.close()
                raise
            self._connection, self._batches = connection, BatchWriter(connection)
        return self._connection, self._batches
