"""Bringing the sums up to the log: what one process wrote since it last did, or what anybody did.

The log is written first, each transaction with one row that says which rows of it are in no sum yet. Whoever adds rows
up deletes that row in the transaction that adds: so a row counts once, wherever a crash falls and whoever adds. Sums
are read, added to and written back under a lock, as 8 bytes a number: adding in the database is exact as well, but
arrays of numbers cost it and the driver 0.2 us a number each, ten times as much.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from banditroute.learning.evidence import Evidence
from banditroute.records import Alarm
from banditroute.routing.lessons import Edge
from banditroute.storage.codec import alarm_json
from banditroute.storage.protocol import State
from banditroute.storage.tally import Tally

from .address import Place
from .driver import Connection
from .pending import Pending
from .sums import Floats, SumsRow, added, numbers_of, touched

_TAKE = "SELECT * FROM {schema}.take($1, $2, $3)"
_SUMS_OF = "SELECT {schema}.sums_of($1, $2)"
_PUT = "SELECT {schema}.put($1, $2)"
_LOCK_LOG = "SELECT pg_advisory_xact_lock({schema}.lock_of(1))"
_LOCK_SUMS = "SELECT pg_advisory_xact_lock({schema}.lock_of(2))"
_BATCHES = "SELECT id FROM {schema}.unfolded WHERE {condition} ORDER BY id"
_ROWS = "SELECT * FROM {schema}.unfolded_rows($1)"
_TAKEN = "DELETE FROM {schema}.unfolded WHERE id = ANY($1)"
_CLEAR = "SELECT {schema}.clear_sums(), nextval('{schema}.place')"
_ADJUSTING = "SELECT {schema}.adjusting($1)"
_BY_BUDGET = ("spent", "pace", "paid", "lease")
_ALARM = "INSERT INTO {schema}.alarm (alarm) VALUES ($1)"


class Folder:
    """Adds up what was written; every method but `rows` and `fold` needs a transaction.

    Args:
        place: where the store is.
        writer: names this process's store.
    """

    def __init__(self, place: Place, writer: str) -> None:
        self._sql = place.sql
        self._writer = writer

    async def taken(self, connection: Connection, pending: Pending) -> SumsRow:
        """The sums as they are with what this process has written and not added; from now on it counts as added.

        Raises:
            StoreError: a row is damaged.
        """
        if pending.sure:
            edges = touched(pending.tally)
            row = await connection.fetchrow(self._sql(_TAKE), self._writer, pending.batches, edges)
            assert row is not None, "a function returns a row"
            if row["taken"]:
                return added(pending.tally, row["known"])
        return await self._others(connection, "writer = $1", self._writer)

    async def fold(self, connection: Connection, pending: Pending) -> None:
        """Adds up what this process has written, in a transaction of its own."""
        async with connection.transaction():
            await self.put(connection, await self.taken(connection, pending))

    async def fold_batches(self, connection: Connection, batches: Sequence[int]) -> None:
        """Adds up what was written under these names, by whomever, if nobody has yet."""
        await self.put(connection, await self._others(connection, "id = ANY($1)", list(batches)))

    async def fold_all(self, connection: Connection) -> None:
        """Adds up whatever was written; nobody writes the log until the transaction ends."""
        await connection.execute(self._sql(_LOCK_LOG))
        await self.put(connection, await self._others(connection, "$1::int IS NULL", None))

    async def rows(self, connection: Connection, batches: Sequence[int] | None = None) -> Pending:
        """What the rows amount to that are in no sum yet.

        Raises:
            StoreError: a row is damaged.
        """
        found = Pending()
        for row in await connection.fetch(self._sql(_ROWS), batches):
            found.add_row(*row.values())
        return found

    async def add(self, connection: Connection, tally: Tally, *, retired: bool) -> None:
        """Adds a tally to the sums, or to those of rows that are gone."""
        known = await connection.fetchval(self._sql(_SUMS_OF), touched(tally), retired)
        await self.put(connection, added(tally, known), retired=retired)

    async def sums_of(self, connection: Connection, of: Tally, *, retired: bool) -> Mapping[Edge, Floats]:
        """The evidence that is kept, or that of rows that are gone, of the edges that a tally has."""
        known = await connection.fetchval(self._sql(_SUMS_OF), touched(of), retired)
        return {edge: numbers_of(sums) for edge, sums in zip(of.evidence, known, strict=True) if sums is not None}

    async def drop(self, connection: Connection, budgets: Sequence[str]) -> None:
        """Forgets what budgets have spent, and how they are paced, also in the sums of rows that are gone."""
        for table in _BY_BUDGET:
            await connection.execute(self._sql(f"DELETE FROM {{schema}}.{table} WHERE budget = ANY($1)"), budgets)

    async def put(self, connection: Connection, sums: SumsRow, *, retired: bool = False) -> None:
        """Puts the sums of edges in the place of those that were read; adds all others."""
        await connection.execute(self._sql(_PUT), sums, retired)

    async def replace(self, connection: Connection, state: State) -> None:
        """Puts another state in the place of the one that is kept."""
        row = await connection.fetchrow(self._sql(_CLEAR))
        assert row is not None, "a function returns a row"
        await self.add(connection, Tally.of(state, row[1]), retired=False)

    async def adjust(
        self, connection: Connection, token: int, alarms: Sequence[Alarm], sums: Mapping[Edge, Evidence]
    ) -> None:
        """Writes alarms and adds to the sums, and to those that rebuilding starts from, unless that was done before."""
        if not await connection.fetchval(self._sql(_ADJUSTING), token):
            return
        for retired in (False, True):
            await self.add(connection, Tally.of(State(sums, {}, {})), retired=retired)
        await connection.executemany(self._sql(_ALARM), [(alarm_json(alarm),) for alarm in alarms])

    async def _others(self, connection: Connection, condition: str, value: object) -> SumsRow:
        await connection.execute(self._sql(_LOCK_SUMS))
        query = self._sql(_BATCHES.replace("{condition}", condition))
        batches = [row[0] for row in await connection.fetch(query, value)]
        found = await self.rows(connection, batches)
        known = await connection.fetchval(self._sql(_SUMS_OF), touched(found.tally), False)
        await connection.execute(self._sql(_TAKEN), batches)
        return added(found.tally, known)
