"""Forgetting old rows: what they taught and spent goes to the retired sums in the transaction that deletes them.

A day that is over as a whole is taken out of the log by one short transaction that has no writer beside it. Then its
rows, which cannot change any more, are added up while others write, and its tables are dropped in the transaction that
adds what they amount to. Decisions without an outcome are moved out first.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

from banditroute.storage.reading import Logged
from banditroute.storage.tally import Tally

from .address import Place
from .days import KEPT, day_of, start_of, suffix_of
from .driver import Connection, asyncpg
from .folding import Folder
from .reading import Reading

_TABLES = ("feedback", "outcome", "decision")
_ALONE = "SELECT pg_try_advisory_lock({schema}.lock_of(4))"  # until the connection ends
_NOBODY_ELSE = "SELECT pg_advisory_lock({schema}.lock_of(4))"
_PARTITIONS = (
    "SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid "
    "WHERE i.inhparent = '{schema}.decision'::regclass ORDER BY c.relname"
)
_DETACHED = "SELECT day FROM {schema}.detached ORDER BY day"
_MOVE = (
    "UPDATE {schema}.decision d SET day = $2 FROM {schema}.unsettled u "
    "WHERE u.day = $1 AND d.day = $1 AND d.seq = u.decision"
)
_MOVED = "UPDATE {schema}.unsettled SET day = $2 WHERE day = $1"


class Pruner:
    """Prunes through a connection of its own.

    Args:
        place: where the store is.
        connection: to it; nobody else uses it.
        folder: adds up what was written.
    """

    def __init__(self, place: Place, connection: Connection, folder: Folder) -> None:
        self._sql = place.sql
        self._connection = connection
        self._reading = Reading(place)
        self._folder = folder

    async def prune(self, before: float, *, by_day: bool) -> int:
        """Forgets settled decisions older than an instant; returns how many, 0 where another process is at it.

        Args:
            before: the instant.
            by_day: leave the day of the instant as it is.

        Raises:
            StoreError: a row is damaged.
            asyncpg.PostgresError, OSError: it cannot be read or written.
        """
        if not await self._connection.fetchval(self._sql(_ALONE)):
            return 0
        last = day_of(before)
        await self._detach_days(last)
        pruned = await self._retire_days()
        before = start_of(last) if by_day else before
        pruned += await self._delete(before, KEPT, KEPT)
        return pruned if by_day else pruned + await self._delete(before, last, last)

    async def finish(self) -> None:
        """Finishes what was begun and left half done, once no other process prunes; none does until this one ends.

        Raises:
            StoreError: a row is damaged.
            asyncpg.PostgresError, OSError: it cannot be read or written.
        """
        await self._execute(_NOBODY_ELSE)
        await self._retire_days()

    async def _detach_days(self, last: date) -> None:
        for name in await self._connection.fetch(self._sql(_PARTITIONS)):
            digits = name[0].rpartition("_")[2]
            if digits.isdigit() and (day := datetime.strptime(digits, "%Y%m%d").date()) < last:
                await self._detach(day)

    async def _retire_days(self) -> int:
        detached = [row[0] for row in await self._connection.fetch(self._sql(_DETACHED))]
        return sum([await self._retire(day) for day in detached])

    async def _detach(self, day: date) -> None:
        """Takes a day out of the log; where readers are in the way for a second, it stays until the next time."""
        try:
            async with self._connection.transaction():
                await self._folder.fold_all(self._connection)
                await self._execute(_MOVE, day, KEPT)
                await self._execute(_MOVED, day, KEPT)
                await self._connection.execute("SET LOCAL lock_timeout = '1s'")
                for table in _TABLES:
                    name = f"{table}{suffix_of(day)}"
                    await self._execute(f"ALTER TABLE {{schema}}.{table} DETACH PARTITION {{schema}}.{name}")
                await self._execute("INSERT INTO {schema}.detached (day) VALUES ($1)", day)
        except asyncpg.LockNotAvailableError:
            return

    async def _retire(self, day: date) -> int:
        tally, rows, after = Tally(), 0, 0
        while page := await self._reading.page(self._connection, after, day):
            await asyncio.to_thread(_add, page, tally)
            rows, after = rows + len(page), page[-1].seq
        async with self._connection.transaction():
            await self._folder.add(self._connection, tally, retired=True)
            for table in _TABLES:
                await self._execute(f"DROP TABLE {{schema}}.{table}{suffix_of(day)}")
            await self._execute("DELETE FROM {schema}.detached WHERE day = $1", day)
        return rows

    async def _delete(self, before: float, since: date, until: date) -> int:
        pruned = 0
        while gone := await self._delete_page(before, since, until):
            pruned += gone
        return pruned

    async def _delete_page(self, before: float, since: date, until: date) -> int:
        async with self._connection.transaction():
            await self._folder.fold_all(self._connection)
            page = await self._reading.settled_before(self._connection, before, since, until)
            tally = Tally()
            _add(page, tally)
            await self._folder.add(self._connection, tally, retired=True)
            seqs = [logged.seq for logged in page]
            for table, key in (("feedback", "decision"), ("outcome", "decision"), ("decision", "seq")):
                where = f"WHERE {key} = ANY($1) AND day BETWEEN $2 AND $3"
                await self._execute(f"DELETE FROM {{schema}}.{table} {where}", seqs, since, until)
        return len(page)

    async def _execute(self, query: str, *values: Any) -> None:
        await self._connection.execute(self._sql(query), *values)


def _add(page: Iterable[Logged], tally: Tally) -> None:
    for logged in page:
        logged.add_to(tally)
