"""Deleting everything of one tenant: its rows stretch by stretch, then what its own budgets have spent."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence

from banditroute.storage.protocol import Deleted
from banditroute.storage.reading import Logged
from banditroute.storage.tally import Tally
from banditroute.storage.withdrawing import Withdrawal, Withdrawn, needle_of, withdrawal

from .address import Place
from .driver import Connection
from .folding import Folder
from .reading import Reading

_KEYS = "WITH gone AS (DELETE FROM {schema}.gateway_key WHERE tenant = $1 RETURNING 1) SELECT count(*) FROM gone"


class Deletion:
    """One tenant's deletion, through a connection of its own.

    Args:
        place: where the store is.
        connection: to it; nobody else uses it.
        folder: adds up what was written.
        tenant: whose.
    """

    def __init__(self, place: Place, connection: Connection, folder: Folder, tenant: str) -> None:
        self._sql = place.sql
        self._connection = connection
        self._tenant = tenant
        self._reading = Reading(place)
        self._folder = folder
        self._counted = Withdrawn()
        self._left = 0

    async def run(self, budgets: Collection[str]) -> Deleted:
        """What is gone at the end; where it fails, what went before is gone.

        Raises:
            StoreError: a row is damaged.
            asyncpg.PostgresError, OSError: it cannot be read or written.
        """
        keys: int = await self._connection.fetchval(self._sql(_KEYS), self._tenant)
        needle, after = needle_of(self._tenant), 0
        while True:
            rows, upto = await self._reading.naming(self._connection, needle, after)
            if upto is None:
                break
            own = [row for row in rows if row.trail.decision.tenant == self._tenant]
            if own:
                await self._delete([row.seq for row in own])
            after = upto
        await self._drop(budgets)
        counted = self._counted
        return Deleted(counted.decisions, counted.judgements, counted.prompts, keys, self._left)

    async def _delete(self, seqs: Sequence[int]) -> None:
        async with self._connection.transaction():
            await self._folder.fold_all(self._connection)
            rows = await self._reading.those(self._connection, seqs)  # anew: they may have been judged since
            gone = [row for row in rows if row.trail.outcome is not None]
            taught = await asyncio.to_thread(_added_up, gone)
            off = await self._withdrawal(taught)
            await self._folder.add(self._connection, Tally(off.kept), retired=False)
            more = Tally(off.retired, taught.spent_usd, taught.paces, taught.paid)
            await self._folder.add(self._connection, more, retired=True)
            for table, key in (("feedback", "decision"), ("outcome", "decision"), ("decision", "seq")):
                query = f"DELETE FROM {{schema}}.{table} WHERE {key} = ANY($1)"
                await self._connection.execute(self._sql(query), [row.seq for row in gone])
        self._left += len(rows) - len(gone)
        for row in gone:
            self._counted.count(row.trail)

    async def _withdrawal(self, taught: Tally) -> Withdrawal:
        return withdrawal(
            taught.evidence,
            await self._folder.sums_of(self._connection, taught, retired=False),
            await self._folder.sums_of(self._connection, taught, retired=True),
        )

    async def _drop(self, budgets: Collection[str]) -> None:
        if not budgets:
            return
        async with self._connection.transaction():
            await self._folder.fold_all(self._connection)
            await self._folder.drop(self._connection, list(budgets))


def _added_up(rows: Sequence[Logged]) -> Tally:
    tally = Tally()
    for row in rows:
        row.add_to(tally)
    return tally
