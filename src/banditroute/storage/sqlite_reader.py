"""The reading half of a store in one SQLite file."""

from __future__ import annotations

import asyncio
import os
import sqlite3
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from banditroute.errors import StoreError, UnknownDecisionError
from banditroute.records import Alarm, Incident

from . import adjusting, folding, keying, noting, reading, rebuilding, switching
from .checking import is_unicode
from .connecting import connect_to_read, transaction
from .faults import explained
from .protocol import Dispatch, Named, State, StoredKey, Switch, Trail
from .rebuilding import Comparison
from .schema import check_version

T = TypeVar("T")


class SQLiteReader:
    """Reads a store's file beside whoever writes it: nobody waits for it, and it changes nothing.

    Everything that one call returns is as of one instant, but for `trails`, where each page is.

    Args:
        path: the file.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = os.fspath(path)
        self._thread: _ReadingThread | None = None

    async def open(self) -> None:
        """Connects; from now on a full disk keeps nobody from reading.

        Raises:
            StoreError: the file cannot be read, is no store, or one of another version of the library.
        """
        if self._thread is not None:
            return
        self._thread = _ReadingThread(self.path)
        try:
            await self._read(check_version, self.path)
        except BaseException:
            await self.aclose()
            raise

    async def trail(self, decision_id: str) -> Trail:
        """Everything on record of a decision.

        Raises:
            UnknownDecisionError: the decision is not on record.
            StoreError: the file cannot be read.
        """
        found = await self._read(reading.find, decision_id) if is_unicode(decision_id) else None
        if found is None:
            raise UnknownDecisionError(decision_id)
        return found.trail

    async def find(self, named: Named, limit: int) -> list[Trail]:
        """The newest decisions that a caller named so, newest first."""
        possible = is_unicode(named.request_id or named.session_id) and is_unicode(named.tenant or "")
        return [logged.trail for logged in await self._read(reading.named, named, limit)] if possible else []

    async def trails(self) -> AsyncIterator[Trail]:
        """Every decision on record, in the order in which they were taken in; a page of them is in memory at a time."""
        after = 0
        while page := await self._read(reading.page, after):
            for logged in page:
                yield logged.trail
            after = page[-1].seq

    async def recent(self, limit: int) -> list[Trail]:
        """The newest decisions, newest first."""
        return [logged.trail for logged in await self._read(reading.newest, limit)]

    async def unsettled(self) -> list[Dispatch]:
        """Decisions that have no outcome, oldest first."""
        return await self._read(reading.unsettled)

    async def state(self) -> State:
        """What the log amounts to, as kept up to date with it."""
        return await self._read(folding.state_of)

    async def alarms(self, limit: int) -> list[Alarm]:
        """The newest alarms, newest first."""
        return await self._read(adjusting.alarms, limit)

    async def incidents(self, since: float, limit: int) -> list[Incident]:
        """The newest incidents from an instant on, newest first."""
        return await self._read(noting.noted, since, limit)

    async def switches(self) -> list[Switch]:
        """Every switch as it was thrown last."""
        return await self._read(switching.kept)

    async def keys(self) -> list[StoredKey]:
        """Every key of the gateway that was made, oldest first."""
        return await self._read(keying.kept)

    async def compared(self) -> Comparison:
        """The state that is kept, and the one computed anew from the log; takes 30 us a row or so."""
        thread = _ReadingThread(self.path)  # of its own, so that nobody waits behind it
        try:
            return await thread.read(rebuilding.compared)
        finally:
            await thread.aclose()

    async def aclose(self) -> None:
        """Lets go of the file; a second call does nothing."""
        thread, self._thread = self._thread, None
        if thread is not None:
            await thread.aclose()

    async def _read(self, query: Callable[..., T], *values: object) -> T:
        if self._thread is None:
            raise StoreError(f"{self.path}: the store is closed; open it first")
        return await self._thread.read(query, *values)


class _ReadingThread:
    """One connection and the thread that reads through it."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="banditroute-read")
        self._connection: sqlite3.Connection | None = None

    async def read(self, query: Callable[..., T], *values: object) -> T:
        """What a query finds, all of it as of one instant."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._run, query, *values)

    async def aclose(self) -> None:
        """Lets go of both, whatever is being read first coming to its end."""
        await asyncio.get_running_loop().run_in_executor(self._thread, self._disconnect)
        self._thread.shutdown(wait=False)

    def _run(self, query: Callable[..., T], *values: object) -> T:
        with explained(self._path, "read the store"):
            if self._connection is None:
                self._connection = connect_to_read(self._path)
            with transaction(self._connection, "DEFERRED"):
                return query(self._connection, *values)

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
