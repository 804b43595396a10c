"""Writes what it is given through one connection, and adds it up; what cannot be written now it keeps for later."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Sequence
from functools import partial

from banditroute.errors import BanditrouteError, StoreError

from .batch import BatchWriter
from .driver import Connection
from .folding import Folder
from .operations import Alone, LogOperation, Result
from .pending import Pending
from .session import AwayError, Session

MOST_AT_ONCE = 512
"""Operations in one statement."""

_MOST_HELD = 10_000
_MOST_UNFOLDED = 1024  # rows
_UNFOLDED_S = 1.0


class Scribe:
    """Owns the connection that writes; one at a time may use it.

    Args:
        session: the connection.
        batches: writes the log; folder: adds it up.

    Attributes:
        pending: what was written and is in no sum yet.
    """

    def __init__(self, session: Session, batches: BatchWriter, folder: Folder) -> None:
        self._session = session
        self._batches = batches
        self._folder = folder
        self._held: list[LogOperation] = []
        self._pending_since: float | None = None
        self.pending = Pending()

    @property
    def holding(self) -> bool:
        """Whether something is kept for when the server is back."""
        return bool(self._held)

    @property
    def fault(self) -> str:
        """What keeps it from writing now; empty = nothing that is known."""
        return self._session.fault

    async def log(self, operations: Sequence[LogOperation]) -> Sequence[Result]:
        """What came of operations, which are written in their order, after those that are kept."""
        try:
            return await self._written(operations)
        except AwayError as error:
            return [error] * len(operations)

    async def alone(self, operation: Alone) -> Result:
        """What came of an operation that has a statement or a transaction to itself."""
        try:
            if self._held:
                await self._written(())
            return await self._session.run(operation.work, "change what is written")
        except BanditrouteError as error:
            return error

    async def keep_up(self) -> None:
        """Does what is due and nobody waits for."""
        if self._held:
            return  # what of it is written may be known by nobody yet
        since = self._pending_since
        due = since is not None and time.monotonic() - since > _UNFOLDED_S
        with contextlib.suppress(StoreError):  # it is tried again; whoever asks for the sums hears of it
            if due or self.pending.rows >= _MOST_UNFOLDED:
                await self._session.run(self.fold, "add up what was written")
            if self._batches.behind:
                await self._session.run(self._batches.look_ahead, "make partitions")

    async def fold(self, connection: Connection) -> None:
        """Adds up what was written."""
        await self._folder.fold(connection, self.pending)
        self.folded()

    def folded(self) -> None:
        """What was written is in the sums from now on."""
        self.pending, self._pending_since = Pending(), None

    async def aclose(self) -> None:
        """Lets go of the connection."""
        await self._session.aclose()

    async def _written(self, operations: Sequence[LogOperation]) -> list[Result]:
        """What came of operations, after those that are kept.

        Raises:
            AwayError: the server is away; what is not written is kept, the newest of it.
        """
        held, self._held = self._held, []
        everything, results = [*held, *operations], list[Result]()
        try:
            while len(results) < len(everything):
                results += await self._part(everything[len(results) : len(results) + MOST_AT_ONCE])
        except BaseException:
            self._held = everything[len(results) :][-_MOST_HELD:]
            raise
        if self._pending_since is None and self.pending.rows:
            self._pending_since = time.monotonic()
        return results[len(held) :]

    async def _part(self, operations: Sequence[LogOperation]) -> list[Result]:
        """What came of operations; one that the database refuses takes nothing with it."""
        try:
            work = partial(self._batches.write, operations=operations, pending=self.pending)
            return await self._session.run(work, "write decisions")
        except AwayError:
            raise
        except StoreError as error:
            if len(operations) == 1:
                return [error]
            half = len(operations) // 2
            return [*await self._part(operations[:half]), *await self._part(operations[half:])]
