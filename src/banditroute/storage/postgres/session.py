"""One connection that is made anew when it is lost, and work that is done again until it is known to be done."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from banditroute.errors import BanditrouteError, StoreError

from .address import Place
from .connecting import connect, disconnect
from .driver import Connection
from .faults import LOST, is_missing_partition, may_pass, store_error

T = TypeVar("T")

_PATIENCE_S = 5.0
_FIRST_WAIT_S = 0.05
_LONGEST_WAIT_S = 1.0


class AwayError(StoreError):
    """The server cannot be reached, and has not been for longer than anybody is to wait; it may be later."""


class Session:
    """Does work through one connection, one piece at a time.

    Args:
        place: where the store is.
        set_up: what to do with each new connection.
        patience_s: how long work is tried again from when the server was first not there; after that, once a second.

    Attributes:
        fault: what failed last, while it may not have passed; else empty.
    """

    def __init__(
        self, place: Place, set_up: Callable[[Connection], Awaitable[None]], *, patience_s: float = _PATIENCE_S
    ) -> None:
        self._place = place
        self._set_up = set_up
        self._patience_s = patience_s
        self._connection: Connection | None = None
        self._away_since: float | None = None
        self._wait_s = _FIRST_WAIT_S
        self._again_at = 0.0
        self.fault = ""

    async def run(self, work: Callable[[Connection], Awaitable[T]], doing: str) -> T:
        """What the work returns. It is begun anew where the connection was lost: done twice, it must be as if once.

        Raises:
            AwayError: the server could not be reached for too long.
            StoreError: the database refused it.
        """
        while True:
            await self._pause(doing)
            try:
                result = await work(await self._connected())
            except LOST as error:
                await self._failed(error, doing)
            except BanditrouteError:
                self._arrived()
                raise
            except BaseException:
                self._drop()  # cancelled or a defect: what is on the wire is nobody's any more
                raise
            else:
                self._arrived()
                return result

    async def aclose(self) -> None:
        """Lets go of the connection."""
        connection, self._connection = self._connection, None
        if connection is not None:
            await disconnect(connection)

    async def _pause(self, doing: str) -> None:
        """Waits until it is time to try again; where that is hopeless, says so at once."""
        if self._away_since is None:
            return
        ahead_s = self._again_at - time.monotonic()
        if ahead_s > 0 and self._given_up:
            raise AwayError(f"{self._place}: cannot {doing}: the server is not there; it is tried again every second")
        await asyncio.sleep(max(ahead_s, 0.0))

    @property
    def _given_up(self) -> bool:
        return self._away_since is not None and time.monotonic() - self._away_since > self._patience_s

    def _arrived(self) -> None:
        self._away_since, self._wait_s, self.fault = None, _FIRST_WAIT_S, ""

    async def _failed(self, error: BaseException, doing: str) -> None:
        told = store_error(str(self._place), doing, error)
        if not may_pass(error) and not is_missing_partition(error):
            raise told from error
        self._drop()
        self.fault = str(told)
        now = time.monotonic()
        self._away_since = now if self._away_since is None else self._away_since
        self._again_at = now + self._wait_s
        self._wait_s = min(2 * self._wait_s, _LONGEST_WAIT_S)
        if self._given_up:
            raise AwayError(self.fault) from error

    async def _connected(self) -> Connection:
        if self._connection is None or self._connection.is_closed():
            connection: Any = await connect(self._place)
            try:
                await self._set_up(connection)
            except BaseException:
                connection.terminate()
                raise
            self._connection = connection
        assert self._connection is not None
        return self._connection

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.terminate()
