"""The reading half of a store of two."""

from __future__ import annotations

from banditroute.errors import StoreError
from banditroute.storage.postgres.driver import Connection
from banditroute.storage.postgres.elsewhere import find_elsewhere
from banditroute.storage.postgres.migrating import check_version
from banditroute.storage.postgres.reader import PostgresReader
from banditroute.storage.protocol import State

from .backlog import Backlog
from .sums import RedisSums

TIMEOUT_S = 2.0


class PairedReader(PostgresReader):
    """Reads a store beside whoever writes it, and changes nothing.

    Args:
        log_url: of the database that has the log; never shown.
        url: of the Redis server that has what it amounts to.
        namespace: which of the stores in both.
        timeout_s: seconds to wait for Redis.
    """

    def __init__(self, log_url: str, url: str, *, namespace: str = "default", timeout_s: float = TIMEOUT_S) -> None:
        super().__init__(log_url, namespace=namespace)
        self._sums = RedisSums(url, namespace, timeout_s)
        self._backlog = Backlog(self._place, self._sums)

    async def recounted(self) -> State:
        """The state, computed anew from the log; takes 50 us a row or so."""
        return await self._apart(self._reading.rebuilt)

    async def aclose(self) -> None:
        """Lets go of both connections; a second call does nothing."""
        try:
            await super().aclose()
        finally:
            await self._sums.aclose()

    async def _check(self, connection: Connection) -> None:
        await check_version(connection, self._place)

    async def _kept(self, connection: Connection) -> State:
        """The sums, with what of the log is in none of them yet.

        The log is read first, as of one instant: what it has not got by then is in the sums, and what it has got is
        there too, or counted here, by the marks that are read with the sums.
        """
        here = await find_elsewhere(connection, self._place)
        if here is None:
            raise StoreError(f"{self._place}: no router keeps what this log amounts to in Redis; check the address")
        waiting = await self._backlog.waiting(connection)
        marks, tally = await self._sums.read(here.edition)
        left = [each.batch for each in waiting if each.batch > marks.get(each.writer, 0)]
        tally.merge(await self._backlog.tally(connection, left))
        return tally.state()
