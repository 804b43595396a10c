"""Has operations committed in the event loop's own turns, or in a thread where the disk may make somebody wait."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

from banditroute.errors import StoreError

from .committing import Committer, LockedError
from .operations import Alone, Exchange, Flush, Operation, Result

_LINGER_S = 0.01  # a decision waits this long for company, as its outcome is seconds away most often
_MOST_AT_ONCE = 32  # more operations than this would hold the loop up for milliseconds
_CHECKPOINT_EVERY = 512  # operations; each adds several pages to the log beside the file


class _Asked(NamedTuple):
    operation: Operation
    future: asyncio.Future[Any] | None


class Writer:
    """Passes operations from one event loop to a committer, as many at once as there are.

    A commit that does not wait for the disk is a write into the operating system's memory, as a line of a log file is:
    it takes a tenth of a millisecond, less than handing it to a thread and being woken by it. So it is made in the
    loop's own turn, all that was asked for in one turn together. What may take longer goes to a thread: commits that
    wait for the disk, a file that another process holds locked, large batches, rare work, copying the log into the
    file. Nothing is committed in the loop while the thread is at work, so order is kept and the committer has one user.

    Args:
        committer: does the work; closed with the writer.
        in_loop: whether commits may be made in the loop's turns.
    """

    def __init__(self, committer: Committer, *, in_loop: bool = True) -> None:
        self._committer = committer
        self._in_loop = in_loop
        self._loop = asyncio.get_running_loop()
        self._waiting: deque[_Asked] = deque()
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="banditroute-store")
        self._working: asyncio.Future[list[Result]] | None = None
        self._due = False
        self._lingering = False
        self._unfiled = 0
        self._ended = False

    async def open(self) -> None:
        """Opens the committer, which takes milliseconds, in the thread.

        Raises:
            StoreError: the file cannot be used.
        """
        await self._loop.run_in_executor(self._thread, self._committer.open)

    @property
    def settled(self) -> bool:
        """Whether everything that was asked for is done, and no decision is held back for a disk that failed."""
        return not self._waiting and self._working is None and not self._committer.holding

    @property
    def crowded(self) -> bool:
        """Whether another process is known to write decisions too."""
        return self._committer.crowded

    def put(self, operation: Operation) -> None:
        """Has something written soon; nobody waits for it."""
        self._waiting.append(_Asked(operation, None))
        if not self._lingering:
            self._lingering = True
            self._loop.call_later(_LINGER_S, self._lingered)

    def ask(self, operation: Operation) -> asyncio.Future[Any]:
        """Has something written at once, after all that was asked for before; the future brings what came of it."""
        future: asyncio.Future[Any] = self._loop.create_future()
        if self._ended:
            future.set_exception(StoreError("the store's writer has ended; close the store and open it again"))
            return future
        self._waiting.append(_Asked(operation, future))
        self._call_soon()
        return future

    async def aclose(self) -> None:
        """Writes what waits, and lets go of the file.

        Raises:
            StoreError: some of it could not be written.
        """
        written = self.ask(Flush())
        try:
            await asyncio.shield(written)
        finally:
            self._ended = True
            left = list(self._waiting)
            self._waiting.clear()
            self._answer(left, [StoreError("the store was closed before this was written")] * len(left))
            self._thread.submit(self._committer.close)
            await asyncio.to_thread(self._thread.shutdown)

    def _lingered(self) -> None:
        self._lingering = False
        if self._waiting:
            self._turn()

    def _call_soon(self) -> None:
        if not self._due:
            self._due = True
            self._loop.call_soon(self._turn)

    def _turn(self) -> None:
        """Commits what waits, unless the thread is at work: then its end is the next turn."""
        self._due = False
        if self._working is not None or not self._waiting or self._ended:
            return
        taken = list(self._waiting)
        self._waiting.clear()
        operations = [asked.operation for asked in taken]
        slow = len(taken) > _MOST_AT_ONCE or any(isinstance(each, Exchange | Alone) for each in operations)
        if slow or not self._in_loop:
            self._in_thread(taken, operations)
            return
        try:
            results = self._committer.commit(operations, wait=False)
        except LockedError:
            self._in_thread(taken, operations)
        except BaseException as error:
            self._fail(taken, error)
            raise
        else:
            self._answer(taken, results)

    def _in_thread(self, taken: list[_Asked], operations: list[Operation]) -> None:
        work = self._loop.run_in_executor(self._thread, self._commit_patiently, operations)
        self._working = work
        work.add_done_callback(self._back_from_thread(taken))

    def _commit_patiently(self, operations: Sequence[Operation]) -> list[Result]:
        return self._committer.commit(operations, wait=True)

    def _back_from_thread(self, taken: list[_Asked]) -> Callable[[asyncio.Future[list[Result]]], None]:
        def done(work: asyncio.Future[list[Result]]) -> None:
            self._working = None
            error = None if work.cancelled() else work.exception()
            if error is None and not work.cancelled():
                self._answer(taken, work.result())
            else:
                self._fail(taken, error)
            if self._waiting:
                self._call_soon()

        return done

    def _fail(self, taken: list[_Asked], error: BaseException | None) -> None:
        """A defect, no fault of the disk's: whoever waits has to hear of it all the same."""
        self._answer(taken, [StoreError(f"the store's writer failed: {error!r}")] * len(taken))

    def _answer(self, taken: list[_Asked], results: Sequence[Result]) -> None:
        for asked, result in zip(taken, results, strict=True):
            if asked.future is not None and not asked.future.done():  # done: cancelled; it is written all the same
                if isinstance(result, Exception):
                    asked.future.set_exception(result)
                else:
                    asked.future.set_result(result)
        self._unfiled += len(taken)
        if self._unfiled >= _CHECKPOINT_EVERY:
            self._unfiled = 0
            self._thread.submit(self._committer.checkpoint)
