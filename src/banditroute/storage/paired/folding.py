"""What changes the sums, with the log's part of it: batches that are logged, and evidence that is of no row."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from uuid import UUID, uuid4

from banditroute.learning.evidence import Evidence
from banditroute.records import Alarm
from banditroute.routing.lessons import Edge
from banditroute.storage.packing import width_of
from banditroute.storage.postgres.address import Place
from banditroute.storage.postgres.driver import Connection
from banditroute.storage.postgres.folding import Folder
from banditroute.storage.postgres.pending import Pending
from banditroute.storage.postgres.sums import Floats, edges_row
from banditroute.storage.tally import Tally

from .backlog import Backlog
from .faults import UnsoundError
from .sums import Marked, RedisSums

_LOCK_LOG = "SELECT pg_advisory_xact_lock({schema}.lock_of(1))"
_MAY_LOG = "SELECT pg_advisory_xact_lock_shared({schema}.lock_of(1))"
_TAKE_TURN = "SELECT {schema}.take_turn($1)"
_OWE = "INSERT INTO {schema}.unfolded (writer, days, decisions, sources, more) VALUES ($1, '{}', '{}', '{}', $2)"
_LAST = "SELECT coalesce(max(id), 0) FROM {schema}.unfolded WHERE writer = $1"
_NOBODY = str(UUID(int=0))


class PairedFolder(Folder):
    """Does for sums in Redis what is done for those in the database.

    Evidence that is of no row of the log, to be added, is logged by a writer of its own, beside the one that logs rows.

    Args:
        place: where the log is.
        writer: names this process's store.
        sums: what the log amounts to.
        edition: the edition that counts; raises UnsoundError where it is not known.
        hand_over: takes what this process has logged, to have it added soon.

    Attributes:
        amender: the writer of such evidence.
        amended: how often it has logged something.
    """

    def __init__(
        self,
        place: Place,
        writer: str,
        sums: RedisSums,
        edition: Callable[[], int],
        hand_over: Callable[[Pending], None],
    ) -> None:
        super().__init__(place, writer)
        self._sums = sums
        self._edition = edition
        self._hand_over = hand_over
        self._backlog = Backlog(place, sums)
        self.amender = str(uuid4())
        self.amended = 0

    async def fold(self, connection: Connection, pending: Pending) -> None:
        """Hands over what this process has logged: Redis may be slow to answer, and others wait to write the log."""
        if not pending.sure:
            pending.batches.append(await connection.fetchval(self._sql(_LAST), self._writer))
        self._hand_over(pending)

    async def fold_all(self, connection: Connection) -> None:
        """Adds up whatever was logged; nobody writes the log until the transaction ends.

        Raises:
            UnsoundError: the sums are to be looked at first.
            StoreError: Redis cannot be reached.
        """
        await connection.execute(self._sql(_LOCK_LOG))
        edition = self._edition()
        for writer in await self._backlog.writers(connection):
            await self._backlog.bring_up(connection, edition, writer)

    async def sums_of(self, connection: Connection, of: Tally, *, retired: bool) -> Mapping[Edge, Floats]:
        """The evidence that is kept, or that of rows that are gone, of the edges that a tally has."""
        if retired:
            return await super().sums_of(connection, of, retired=True)
        _, kept = await self._sums.read(self._edition())
        return {edge: sums for edge, sums in kept.evidence.items() if edge in of.evidence}

    async def add(self, connection: Connection, tally: Tally, *, retired: bool) -> None:
        """Adds a tally to the sums of rows that are gone; or logs that its evidence is to be added to the others.

        Where it is to be added, the transaction has to have the right to write the log already.
        """
        if retired:
            await super().add(connection, tally, retired=True)
        elif tally.evidence:
            await connection.execute(self._sql(_TAKE_TURN), self.amender)
            evidence = tally.evidence.items()
            edges = edges_row(
                ((edge, width_of(sums)) for edge, sums in evidence),
                (sums.astype("<f8").tobytes() for _, sums in evidence),
            )
            await connection.execute(self._sql(_OWE), self.amender, edges)
            self.amended += 1

    async def adjust(
        self, connection: Connection, token: int, alarms: Sequence[Alarm], sums: Mapping[Edge, Evidence]
    ) -> None:
        """Writes alarms and logs what is to be added, unless that was done before."""
        await connection.execute(self._sql(_MAY_LOG))  # before the right to change sums, as whoever takes both does
        await super().adjust(connection, token, alarms, sums)

    async def drop(self, connection: Connection, budgets: Sequence[str]) -> None:
        """Forgets what budgets have spent, and how they are paced."""
        edition = self._edition()
        await super().drop(connection, budgets)
        changes = await self._sums.drop(edition, budgets)
        if not await self._backlog.let_go(connection, edition, _NOBODY, Marked(True, 0, changes)):
            raise UnsoundError(f"{self._sums.where}: another edition of the sums has begun")
