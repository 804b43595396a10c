"""The reading half of a store in PostgreSQL."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TypeVar

from banditroute.errors import StoreError, UnknownDecisionError
from banditroute.records import Alarm, Incident
from banditroute.storage.checking import is_unicode
from banditroute.storage.protocol import Dispatch, Named, State, StoredKey, Switch, Trail
from banditroute.storage.rebuilding import Comparison

from .address import Place
from .connecting import LONG_S, connect, disconnect
from .driver import Connection
from .elsewhere import check_here
from .faults import LOST, explained
from .migrating import check_version
from .reading import Reading

T = TypeVar("T")


class PostgresReader:
    """Reads a store beside whoever writes it: nobody waits for it, and it changes nothing.

    Everything that one call returns is as of one instant, but for `trails`, where each page is.

    Args:
        url: of the database; never shown.
        namespace: which of the stores in it.
    """

    def __init__(self, url: str, *, namespace: str = "default") -> None:
        self._place = Place(url, namespace)
        self._reading = Reading(self._place)
        self._connection: Connection | None = None
        self._turn = asyncio.Lock()
        self._open = False

    async def open(self) -> None:
        """Connects.

        Raises:
            StoreError: the database cannot be read, holds no store, or one of another version of the library.
        """
        if not self._open:
            self._open = True
            try:
                await self._read(self._check)
            except BaseException:
                await self.aclose()
                raise

    async def trail(self, decision_id: str) -> Trail:
        """Everything on record of a decision.

        Raises:
            UnknownDecisionError: the decision is not on record.
            StoreError: the database cannot be read.
        """
        possible = is_unicode(decision_id) and "\0" not in decision_id
        found = await self._read(lambda c: self._reading.find(c, decision_id)) if possible else None
        if found is None:
            raise UnknownDecisionError(decision_id)
        return found.trail

    async def find(self, named: Named, limit: int) -> list[Trail]:
        """The newest decisions that a caller named so, newest first."""
        if not is_unicode(named.request_id or named.session_id):
            return []
        return [logged.trail for logged in await self._read(lambda c: self._reading.named(c, named, limit))]

    async def trails(self) -> AsyncIterator[Trail]:
        """Every decision on record, in the order in which they were taken in; a page of them is in memory at a time."""
        after = 0
        while page := await self._read(lambda c, after=after: self._reading.page(c, after)):
            for logged in page:
                yield logged.trail
            after = page[-1].seq

    async def recent(self, limit: int) -> list[Trail]:
        """The newest decisions, newest first."""
        return [logged.trail for logged in await self._read(lambda c: self._reading.newest(c, limit))]

    async def unsettled(self) -> list[Dispatch]:
        """Decisions that have no outcome, oldest first."""
        return await self._read(self._reading.unsettled)

    async def state(self) -> State:
        """What the log amounts to, as kept up to date with it."""
        return await self._read(self._kept)

    async def compared(self) -> Comparison:
        """The state that is kept, and the one computed anew from the log; takes 50 us a row or so."""

        async def both(connection: Connection) -> Comparison:
            return Comparison(await self._kept(connection), await self._reading.rebuilt(connection))

        return await self._apart(both)

    async def alarms(self, limit: int) -> list[Alarm]:
        """The newest alarms, newest first."""
        return await self._read(lambda c: self._reading.alarms(c, limit))

    async def incidents(self, since: float, limit: int) -> list[Incident]:
        """The newest incidents from an instant on, newest first."""
        return await self._read(lambda c: self._reading.incidents(c, since, limit))

    async def switches(self) -> list[Switch]:
        """Every switch as it was thrown last."""
        return await self._read(self._reading.switches)

    async def keys(self) -> list[StoredKey]:
        """Every key of the gateway that was made, oldest first."""
        return await self._read(self._reading.keys)

    async def aclose(self) -> None:
        """Lets go of the connection; a second call does nothing."""
        self._open = False
        connection, self._connection = self._connection, None
        if connection is not None:
            await disconnect(connection)

    async def _apart(self, query: Callable[[Connection], Awaitable[T]]) -> T:
        """What a query that takes long finds, through a connection of its own, so that nobody waits behind it."""
        if not self._open:
            raise StoreError(f"{self._place}: the store is closed; open it first")
        with explained(str(self._place), "read the store"):
            connection = await connect(self._place, LONG_S)
            try:
                async with connection.transaction(isolation="repeatable_read", readonly=True):
                    return await query(connection)
            finally:
                await disconnect(connection)

    async def _kept(self, connection: Connection) -> State:
        return await self._reading.state(connection)

    async def _check(self, connection: Connection) -> None:
        await check_version(connection, self._place)
        await check_here(connection, self._place)

    async def _read(self, query: Callable[[Connection], Awaitable[T]]) -> T:
        """What a query finds, all of it as of one instant; tried once more where the connection was lost."""
        if not self._open:
            raise StoreError(f"{self._place}: the store is closed; open it first")
        async with self._turn:
            if self._connection is not None and not self._connection.is_closed():
                try:
                    return await self._once(self._connection, query)
                except LOST:
                    self._drop()
            with explained(str(self._place), "read the store"):
                self._connection = await connect(self._place, LONG_S)
                return await self._once(self._connection, query)

    async def _once(self, connection: Connection, query: Callable[[Connection], Awaitable[T]]) -> T:
        try:
            async with connection.transaction(isolation="repeatable_read", readonly=True):
                return await query(connection)
        except asyncio.CancelledError:
            self._drop()
            raise

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.terminate()
