"""Batches of the log that are not known to be in the sums."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

from banditroute.routing.lessons import Edge
from banditroute.storage.postgres.address import Place
from banditroute.storage.postgres.driver import Connection
from banditroute.storage.postgres.folding import Folder
from banditroute.storage.postgres.sums import numbers_of
from banditroute.storage.tally import Tally

from .faults import UnsoundError
from .sums import Marked, RedisSums

_AT_ONCE = 256  # batches whose rows are in memory at a time
_LAST = 2**63 - 1
_NEXT = "SELECT id FROM {schema}.unfolded WHERE writer = $1 AND id > $2 AND id <= $3 ORDER BY id LIMIT $4"
_MORE = "SELECT more FROM {schema}.unfolded WHERE id = ANY($1) AND more IS NOT NULL ORDER BY id"
_WRITERS = "SELECT DISTINCT writer::text FROM {schema}.unfolded WHERE {condition}"
_OLD = "writer <> ALL($1::uuid[]) AND written_at < clock_timestamp() - interval '5 s'"
_LET_GO = "SELECT {schema}.let_go($1, $2, $3, $4)"
_MARKS = "SELECT writer::text, id FROM {schema}.unfolded ORDER BY id"
_COLUMNS = ("tasks", "models", "signals", "encoder_versions", "sums")


class Waiting(NamedTuple):
    """A batch that is in the log, and by whom."""

    batch: int
    writer: str


class Backlog:
    """Reads what was logged, and has it added.

    Args:
        place: where the log is.
        sums: what it amounts to.
    """

    def __init__(self, place: Place, sums: RedisSums) -> None:
        self._sql = place.sql
        self._sums = sums
        self._folder = Folder(place, "")

    async def waiting(self, connection: Connection) -> list[Waiting]:
        """Every batch that nobody has let go of."""
        return [Waiting(batch, writer) for writer, batch in await connection.fetch(self._sql(_MARKS))]

    async def writers(self, connection: Connection) -> list[str]:
        """Whose batches these are."""
        return [row[0] for row in await connection.fetch(self._sql(_WRITERS.replace("{condition}", "true")))]

    async def orphans(self, connection: Connection, but: Collection[str]) -> list[str]:
        """Writers, but for some, that have let batches lie for longer than they would if they were at work."""
        return [row[0] for row in await connection.fetch(self._sql(_WRITERS.replace("{condition}", _OLD)), list(but))]

    async def tally(self, connection: Connection, batches: Collection[int]) -> Tally:
        """What batches amount to.

        Raises:
            StoreError: a row is damaged.
        """
        tally = (await self._folder.rows(connection, list(batches))).tally
        for row in await connection.fetch(self._sql(_MORE), list(batches)):
            tally.merge(Tally(_evidence(row[0])))
        return tally

    async def bring_up(self, connection: Connection, edition: int, writer: str, upto: int = _LAST) -> Marked:
        """Adds whatever of a writer's batches is in no sum yet, and lets go of them; how far that came.

        Args:
            connection: to the database.
            edition: the one that is added to.
            writer: whose batches.
            upto: the last of them.

        Raises:
            UnsoundError: the sums are to be looked at first.
            StoreError: Redis cannot be reached, or a row is damaged.
            asyncpg.PostgresError, OSError: the log cannot be read.
        """
        marked = await self._sums.mark(edition, writer)
        while rows := await connection.fetch(self._sql(_NEXT), writer, marked.mark, upto, _AT_ONCE):
            batches = [row[0] for row in rows]
            tally = await self.tally(connection, batches)
            # Where somebody else was faster, nothing is added, and what is left after that is read anew.
            marked = await self._sums.gain(edition, writer, marked.mark, batches[-1], tally)
        if not await self.let_go(connection, edition, writer, marked):
            raise UnsoundError(f"{self._sums.where}: another edition of the sums has begun")
        return marked

    async def let_go(self, connection: Connection, edition: int, writer: str, marked: Marked) -> bool:
        """Lets go of batches that are in an edition; False where another one counts by now."""
        return await connection.fetchval(self._sql(_LET_GO), writer, marked.mark, edition, marked.changes)


def _evidence(more: Mapping[str, Any]) -> Mapping[Edge, Any]:
    columns = zip(*(more[name] for name in _COLUMNS), strict=True)
    return {Edge(*edge): numbers_of(sums) for *edge, sums in columns}
