"""Which edition of the sums counts, and how that is settled where they may have lost something.

The log knows the edition that counts. Each transaction that lets go of batches writes down how often that had been
changed when they were in it. A server that lost something has lost what came last: sums that were changed as often as
the log knows have everything that the log has let go of. They count as the next edition from then on, so that nobody
lets go of what an earlier life acknowledged. Otherwise the sums are computed anew from the log.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping

from banditroute.errors import StoreError
from banditroute.storage.postgres.address import Place
from banditroute.storage.postgres.connecting import LONG_S, connect
from banditroute.storage.postgres.driver import Connection
from banditroute.storage.postgres.elsewhere import Elsewhere, find_elsewhere
from banditroute.storage.postgres.faults import explained
from banditroute.storage.postgres.reading import Reading
from banditroute.storage.protocol import State
from banditroute.storage.tally import Tally

from .backlog import Backlog
from .sums import RedisSums, Standing

_log = logging.getLogger("banditroute")

_ATTEMPTS = 5
_ALONE = "SELECT pg_advisory_lock({schema}.lock_of(6))"
_FOLLOW = "UPDATE {schema}.elsewhere SET edition = edition + 1 WHERE edition = $1 RETURNING changes"
_BEGIN = (
    "INSERT INTO {schema}.elsewhere AS known (edition, changes) VALUES ($1::bigint + 1, 0) ON CONFLICT (only_one) "
    "DO UPDATE SET edition = greatest(known.edition, $1) + 1, changes = 0 RETURNING edition"
)
# Before the snapshot is taken: a day that is taken out of the log meanwhile would be missing from it unseen.
_HOLD = "LOCK TABLE {schema}.decision, {schema}.outcome, {schema}.feedback, {schema}.detached IN ACCESS SHARE MODE"


class Editions:
    """Knows the edition that counts, and settles it where nobody does.

    Args:
        place: where the log is.
        sums: what it amounts to.
        learned: is called when an edition is learned of: what was remembered of another is void.
        patience_s: how long whoever asks waits while the sums are computed anew.
    """

    def __init__(self, place: Place, sums: RedisSums, learned: Callable[[], None], patience_s: float) -> None:
        self._place = place
        self._sums = sums
        self._learned = learned
        self._patience_s = patience_s
        self._reading = Reading(place)
        self._backlog = Backlog(place, sums)
        self._number: int | None = None
        self._settling: asyncio.Task[int] | None = None

    async def number(self, *, patient: bool = False) -> int:
        """The edition that counts.

        Args:
            patient: whether to wait for as long as it takes.

        Raises:
            StoreError: one of both servers cannot be reached; or the sums are being computed anew for longer than
                anybody is to wait.
        """
        if self._number is None:
            if self._settling is None or self._settling.done():
                self._settling = asyncio.create_task(self._settled(None))
                self._settling.add_done_callback(_heard)  # nobody may wait for it any more when it fails
            try:
                async with asyncio.timeout(None if patient else self._patience_s):
                    await asyncio.shield(self._settling)
            except TimeoutError:
                raise StoreError(f"{self._sums.where}: the sums are being computed anew from the log") from None
        assert self._number is not None
        return self._number

    @property
    def known(self) -> int | None:
        """The edition that counts, where that is settled."""
        return self._number

    def forget(self, number: int) -> None:
        """Has the edition settled anew, if it is still taken to be this one."""
        if self._number == number:
            self._number = None

    async def replace(self, state: State) -> None:
        """Begins an edition with a state; nothing of the log so far is added to it.

        Raises:
            StoreError: one of both servers cannot be reached.
        """
        await self._settled(state)

    async def aclose(self) -> None:
        """Ends what is under way."""
        if self._settling is not None:
            self._settling.cancel()
            await asyncio.gather(self._settling, return_exceptions=True)

    async def _settled(self, state: State | None) -> int:
        with explained(str(self._place), "settle which sums count"):
            connection = await connect(self._place, LONG_S)
            try:
                await connection.execute(self._place.sql(_ALONE))  # until the connection ends
                number = await self._settle(connection, state)
            finally:
                connection.terminate()
        self._number = number
        self._learned()
        return number

    async def _settle(self, connection: Connection, state: State | None) -> int:
        for _ in range(_ATTEMPTS):
            known, there = await find_elsewhere(connection, self._place), await self._sums.standing()
            if state is None and known is not None and _is_whole(there, known):
                number = known.edition if there.is_same_life else await self._follow(connection, there)
            else:
                number = await self._begin(connection, there, state, is_lost=_is_lost(there, known))
            if number is not None:
                return number
        raise StoreError(f"{self._sums.where}: the server begins another life again and again")

    async def _follow(self, connection: Connection, there: Standing) -> int | None:
        """The next edition, which has all that this one had; None where that is no longer so."""
        changes: int | None = await connection.fetchval(self._place.sql(_FOLLOW), there.edition)
        if changes is None or changes > there.changes:
            return None
        follower = there.edition + 1
        return follower if await self._sums.confirm(there.edition, follower, there.life) else None

    async def _begin(
        self, connection: Connection, there: Standing, state: State | None, *, is_lost: bool
    ) -> int | None:
        if is_lost:
            _log.warning("%s: the sums have lost something; they are computed anew from the log", self._sums.where)
        edition: int = await connection.fetchval(self._place.sql(_BEGIN), there.edition)
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            await connection.execute(self._place.sql(_HOLD))
            marks = await self._marks(connection)
            tally = Tally.of(state) if state is not None else await self._reading.recounted(connection)
        is_begun = await self._sums.renew(edition, there.life, marks, tally, is_lost=is_lost)
        return edition if is_begun else None

    async def _marks(self, connection: Connection) -> Mapping[str, int]:
        return {each.writer: each.batch for each in await self._backlog.waiting(connection)}


def _is_whole(there: Standing, known: Elsewhere) -> bool:
    return there.edition == known.edition and there.changes >= known.changes


def _is_lost(there: Standing, known: Elsewhere | None) -> bool:
    return known is not None and not _is_whole(there, known)


def _heard(task: asyncio.Task[int]) -> None:
    if not task.cancelled():
        task.exception()
