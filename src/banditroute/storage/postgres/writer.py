"""Has operations done one after another, all that were asked for while one was under way together."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from itertools import groupby
from typing import Any, cast

from banditroute.errors import StoreError
from banditroute.storage.line import Asked, Line

from .driver import Connection
from .operations import Alone, Begin, Judge, LogOperation, Operation, Settle
from .scribe import MOST_AT_ONCE, Scribe

_AGAIN_S = 1.0


class Writer:
    """Passes operations from one event loop to a scribe.

    Whoever waits in vain is told so after a while; what was asked for stays in line, is kept when the server is away
    (the newest 10,000), and is written when it is back, once.

    Args:
        scribe: does the work.
        where: the server is.
        patience_s: how long anybody waits.
    """

    def __init__(self, scribe: Scribe, where: str, patience_s: float) -> None:
        self.scribe = scribe
        self._silence = f"{where}: the database does not answer"
        self._line: Line[Operation] = Line(patience_s, self._problem)
        self._task = asyncio.create_task(self._run(), name="banditroute-postgres")

    @property
    def settled(self) -> bool:
        """Whether everything that was asked for is done."""
        return self._line.empty and not self.scribe.holding

    def put(self, begin: Begin) -> None:
        """Has a decision written soon; nobody waits for it. It is lost where too much waits already."""
        self._line.put(begin, _size(begin))

    def ask(self, operation: Operation, *, patient: bool = False) -> asyncio.Future[Any]:
        """Has something done after all that was asked for before; the future brings what came of it.

        Args:
            operation: what.
            patient: whether to wait for as long as it takes.
        """
        return self._line.ask(operation, _size(operation), patient=patient)

    def alone(self, work: Callable[[Connection], Awaitable[Any]], *, patient: bool = False) -> asyncio.Future[Any]:
        """Has something done by itself, in the order of all that is asked for; done twice, it must be as if once."""
        return self.ask(Alone(work), patient=patient)

    async def aclose(self) -> None:
        """Writes what waits, adds it up, and lets go of the connection.

        Raises:
            StoreError: some of it could not be written.
        """
        try:
            await asyncio.shield(self.alone(self.scribe.fold, patient=True))
        finally:
            await self.abort()

    async def abort(self) -> None:
        """Lets go of the connection; what waits is not written."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        self._line.end("the store was closed before this was written")
        await self.scribe.aclose()

    def _problem(self) -> str:
        return self.scribe.fault or self._silence

    async def _run(self) -> None:
        while True:
            await self._line.some(_AGAIN_S if self.scribe.holding else None)
            taken = self._line.take(MOST_AT_ONCE)
            try:
                await self._do(taken)
            except Exception as error:  # noqa: BLE001 - a defect; whoever waits has to hear of it, and others go on
                self._line.answer(taken, [StoreError(f"the store's writer failed: {error!r}")] * len(taken))
            self._line.done()

    async def _do(self, taken: Sequence[Asked[Operation]]) -> None:
        if not taken:
            await self.scribe.log(())  # what is kept, if the server is back
        for alone, group in groupby(taken, lambda asked: isinstance(asked.operation, Alone)):
            asked = list(group)
            if alone:
                for each in asked:
                    self._line.answer([each], [await self.scribe.alone(cast("Alone", each.operation))])
            else:
                operations = [cast("LogOperation", each.operation) for each in asked]
                self._line.answer(asked, await self.scribe.log(operations))
                await self.scribe.keep_up()


def _size(operation: Operation) -> int:
    """About how much memory it takes, in bytes."""
    match operation:
        case Begin():
            return len(operation.dispatch) + len(operation.prompt or b"")
        case Settle():
            return len(operation.settlement)
        case Judge():
            return len(operation.feedback)
        case Alone():
            return 0
