"""Has operations sent in the order in which they were asked for, as many at once as there are, again if need be."""

from __future__ import annotations

import asyncio
from random import uniform
from typing import Any

from banditroute.errors import BanditrouteError, StoreError
from banditroute.storage.line import Asked, Line

from .link import Link, UnreachableError
from .operations import Operation, Result

_MOST_AT_ONCE = 128  # operations in one transmission
_FIRST_WAIT_S, _LONGEST_WAIT_S = 0.02, 1.0


class Writer:
    """Passes operations from one event loop to a server.

    There is one transmission on its way at a time; what is asked for meanwhile goes together in the next. Where the
    server cannot be reached all stay in line, whoever waits for one is told so after a while, and they are sent as soon
    as it can be. A write that was done and whose reply was lost is done once: each carries a name of its own.

    Args:
        link: to the server.
        patience_s: seconds after which whoever waits is told that it is not written yet.
    """

    def __init__(self, link: Link, patience_s: float) -> None:
        self._link = link
        self._fault = ""
        self._silence = f"{link.where}: no reply within {patience_s:g} s"
        self._line: Line[Operation] = Line(patience_s, lambda: self._fault or self._silence)
        self._task = asyncio.create_task(self._send_all())
        self._task.add_done_callback(self._ended)

    @property
    def settled(self) -> bool:
        """Whether everything that was asked for is done."""
        return self._line.empty

    def put(self, operation: Operation) -> None:
        """Has something written soon; nobody waits for it. It is lost where too much waits for the server already."""
        self._line.put(operation, _size(operation))

    def ask(self, operation: Operation) -> asyncio.Future[Result]:
        """Has something written at once, after all that was asked for before; the future brings what came of it."""
        return self._line.ask(operation, _size(operation))

    async def aclose(self, last: Operation) -> None:
        """Sends what waits, and something last, and ends.

        Raises:
            StoreError: some of it could not be sent.
        """
        try:
            if not self.settled:
                await self.ask(last)
        finally:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def _ended(self, task: asyncio.Task[None]) -> None:
        """Tells whoever waits; an error that ended the work is a defect, and no fault of the server's."""
        error = None if task.cancelled() else task.exception()
        self._line.end(
            "the store was closed before this was written" if error is None else f"the store's writer failed: {error!r}"
        )

    async def _send_all(self) -> None:
        wait_s = _FIRST_WAIT_S
        while True:
            await self._line.some()
            sent = self._line.take(_MOST_AT_ONCE, _is_wanted)
            if not sent:
                continue
            try:
                replies = await self._link.run([asked.operation.command for asked in sent])
            except UnreachableError as error:
                self._fault = str(error)
                self._line.put_back()
                await asyncio.sleep(uniform(wait_s / 2, wait_s))
                wait_s = min(2 * wait_s, _LONGEST_WAIT_S)
            else:
                self._fault, wait_s = "", _FIRST_WAIT_S
                self._line.answer(sent, map(_result, sent, replies))
                self._line.done()


def _size(operation: Operation) -> int:
    return sum(len(part) for part in operation.command if isinstance(part, str | bytes))


def _is_wanted(asked: Asked[Operation]) -> bool:
    return asked.operation.kept or asked.is_awaited


def _result(asked: Asked[Operation], reply: Any) -> Result:
    """What a reply means to whoever waits for it, if anybody does; it is written all the same."""
    if isinstance(reply, StoreError) or not asked.is_awaited:
        return reply
    try:
        return asked.operation.read(reply)
    except BanditrouteError as error:
        return error
