"""What waits to be written to a server, in the order in which it was asked for, and whoever waits for that."""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from banditroute.errors import BanditrouteError, StoreError

T = TypeVar("T")

_LINGER_S = 0.01  # a decision waits this long for company, as its outcome is seconds away most often
_LOOK_EVERY_S = 0.1
_MOST = 20_000
_MOST_BYTES = 64 * 2**20


@dataclass(slots=True)
class Asked(Generic[T]):
    """An operation, its size, who waits for it, and until when."""

    operation: T
    size: int
    future: asyncio.Future[Any] | None = None
    until: float = math.inf

    @property
    def is_awaited(self) -> bool:
        """Whether anybody waits (any more)."""
        return self.future is not None and not self.future.done()

    def answer(self, result: Any) -> None:
        """Tells whoever waits what came of it; an error is raised there."""
        if self.future is None or self.future.done():
            return
        if isinstance(result, BanditrouteError):
            self.future.set_exception(result)
        else:
            self.future.set_result(result)


class Line(Generic[T]):
    """Operations in line, up to 20,000 and 64 MiB of them; one user takes them out, does them and answers.

    Whoever has waited for too long is told so, what was asked for stays in line. From then on others are told at once,
    until something is answered.

    Args:
        patience_s: how long anybody waits.
        problem: says what is wrong with the server, after its name.
    """

    def __init__(self, patience_s: float, problem: Callable[[], str]) -> None:
        self._patience_s = patience_s
        self._problem = problem
        self._loop = asyncio.get_running_loop()
        self._waiting: deque[Asked[T]] = deque()
        self._under_way: list[Asked[T]] = []
        self._bytes = 0
        self._wake = asyncio.Event()
        self._lingering = self._watching = self._given_up = self._ended = False

    @property
    def empty(self) -> bool:
        """Whether everything is done."""
        return not (self._waiting or self._under_way)

    def put(self, operation: T, size: int) -> None:
        """Has something done soon; nobody waits for it. It is lost where too much waits already."""
        self._enter(Asked(operation, size))
        if not self._lingering:
            self._lingering = True
            self._loop.call_later(_LINGER_S, self._lingered)

    def ask(self, operation: T, size: int, *, patient: bool = False) -> asyncio.Future[Any]:
        """Has something done after all that was asked for before; the future brings what came of it.

        Args:
            operation: what.
            size: of it, in bytes.
            patient: whether to wait for as long as it takes.
        """
        future: asyncio.Future[Any] = self._loop.create_future()
        asked = Asked(operation, size, future, math.inf if patient else self._loop.time() + self._patience_s)
        if self._ended:
            asked.answer(StoreError("the store's writer has ended; close the store and open it again"))
        elif not self._enter(asked):
            asked.answer(StoreError(f"{self._problem()}; too much waits for it already, this is lost"))
        elif self._given_up and not patient:  # it is not to wait for what others have waited for in vain
            asked.answer(self._late())
        self._wake.set()
        self._watch_later()
        return future

    async def some(self, within_s: float | None = None) -> None:
        """Returns once there is something to do, or time is up."""
        if not self._waiting:
            self._wake.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(within_s):
                    await self._wake.wait()
        await asyncio.sleep(0)  # what is asked for in this turn of the loop goes along

    def take(self, most: int, is_wanted: Callable[[Asked[T]], bool] = lambda _: True) -> Sequence[Asked[T]]:
        """Takes the next ones out, to be done now; those that are not wanted any more are passed over."""
        while self._waiting and len(self._under_way) < most:
            asked = self._waiting.popleft()
            if is_wanted(asked):
                self._under_way.append(asked)
            else:
                self._bytes -= asked.size
        return tuple(self._under_way)

    def put_back(self) -> None:
        """Puts what was taken out back to the front."""
        self._waiting.extendleft(reversed(self._under_way))
        self._under_way.clear()

    def answer(self, asked: Iterable[Asked[T]], results: Iterable[Any]) -> None:
        """Tells what came of some that were taken out."""
        self._given_up = False
        for each, result in zip(asked, results, strict=True):
            each.answer(result)

    def done(self) -> None:
        """All that was taken out is done."""
        self._bytes -= sum(asked.size for asked in self._under_way)
        self._under_way.clear()

    def end(self, why: str) -> None:
        """Does nothing any more; whoever waits is told why."""
        self._ended = True
        for asked in (*self._under_way, *self._waiting):
            asked.answer(StoreError(why))
        self._under_way.clear()
        self._waiting.clear()

    def _enter(self, asked: Asked[T]) -> bool:
        """Whether there is room for it, where it is now."""
        if self._ended or len(self._waiting) >= _MOST or self._bytes + asked.size > _MOST_BYTES:
            return False
        self._bytes += asked.size
        self._waiting.append(asked)
        return True

    def _lingered(self) -> None:
        self._lingering = False
        self._wake.set()

    def _watch_later(self) -> None:
        if not self._watching:
            self._watching = True
            self._loop.call_later(_LOOK_EVERY_S, self._watch)

    def _watch(self) -> None:
        """Tells those that have waited for long enough."""
        self._watching, now = False, self._loop.time()
        for asked in (*self._under_way, *self._waiting):
            if asked.until <= now and asked.is_awaited:
                self._given_up = True
                asked.answer(self._late())
        if not self.empty:
            self._watch_later()

    def _late(self) -> StoreError:
        return StoreError(f"{self._problem()}; what waits for it is written as soon as it can be")
