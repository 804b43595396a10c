"""A store in one SQLite file, which several processes of one host may share."""

from __future__ import annotations

import asyncio
import os
import sqlite3
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypeVar

from banditroute.errors import StoreError, UnknownDecisionError
from banditroute.records import Feedback
from banditroute.routing.lessons import Lesson

from . import folding, reading
from .checking import check_dispatch, check_numbers, is_unicode
from .codec import dispatch_json, feedback_json, settlement_json
from .committing import Committer
from .connecting import connect_to_read, transaction
from .faults import explained
from .operations import Alone, Begin, Flush, Judge, Settle
from .protocol import Dispatch, Settlement, State, Trail
from .pruning import prune_page
from .writer import Writer

T = TypeVar("T")

DAY_S = 86_400.0


class SQLiteStore:
    """Keeps everything in one file. What has returned survives a kill of the process; with `fsync` also a power cut.

    Args:
        path: the file; made where there is none.
        fsync: wait for the disk before anything returns.
        retention_s: how long decisions are to be kept; whoever keeps house prunes by it. None = for good.
        keep_prompts: whether the messages of a request are kept.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        fsync: bool = False,
        retention_s: float | None = 30 * DAY_S,
        keep_prompts: bool = False,
    ) -> None:
        self.path = os.fspath(path)
        self.retention_s = retention_s
        self._fsync = fsync
        self._keep_prompts = keep_prompts
        self._writer: Writer | None = None
        self._reader: _Reader | None = None

    async def open(self) -> None:
        """Makes the store ready; brings an older file up to date.

        Raises:
            StoreError: the file cannot be used, or a newer version of the library wrote it.
        """
        if self._writer is not None:
            return
        committer, reader = Committer(self.path, fsync=self._fsync), _Reader(self.path)
        writer = Writer(committer, in_loop=not self._fsync)
        await writer.open()
        self._writer, self._reader = writer, reader
        try:
            await reader.read(reading.newest, 0)  # connected from now on, so that a full disk keeps nobody from reading
        except BaseException:
            await self.aclose()
            raise

    def begin(self, dispatch: Dispatch) -> None:
        """Takes a decision in, to be written within about 10 ms and never after its settlement.

        Raises:
            InputError: it cannot be written down.
            StoreError: the store is closed.
        """
        check_dispatch(dispatch)
        decision = dispatch.decision
        prompt = dispatch.prompt if self._keep_prompts else None
        self._writing().put(Begin(decision.decision_id, decision.at, dispatch_json(dispatch), prompt))

    async def settle(self, settlement: Settlement) -> bool:
        """Writes an outcome and all that it changes; False where the decision already has one.

        It is written also where whoever waits for it is cancelled.

        Raises:
            UnknownDecisionError: the decision is not on record.
            InputError: it cannot be written down.
            StoreError: the file cannot be written, or a lesson's inputs are not those that its edge has seen.
        """
        check_numbers(settlement.lessons, settlement.charges)
        text = settlement_json(settlement)
        return bool(
            await self._writing().ask(
                Settle(settlement.outcome.decision_id, text, settlement.lessons, settlement.charges, settlement.paces)
            )
        )

    async def judge(self, feedback: Feedback, lesson: Lesson) -> bool:
        """Writes a judgement and its lesson; False where that source already judged the decision.

        It is written also where whoever waits for it is cancelled.

        Raises:
            UnknownDecisionError: the decision is not on record.
            NotServedError: it has no answer that could be judged.
            InputError: it cannot be written down.
            StoreError: the file cannot be written, or the lesson's inputs are not those that its edge has seen.
        """
        check_numbers((lesson,))
        text = feedback_json(feedback)
        return bool(await self._writing().ask(Judge(feedback.decision_id, feedback.source, text, lesson)))

    async def trail(self, decision_id: str) -> Trail:
        """Everything on record of a decision.

        Raises:
            UnknownDecisionError: the decision is not on record.
            StoreError: the file cannot be read, or cannot be written and may lack the decision for that reason.
        """
        failure = await self._flush()
        found = await self._read(reading.find, decision_id) if is_unicode(decision_id) else None
        if found is None:
            raise failure or UnknownDecisionError(decision_id)
        return found.trail

    async def trails(self) -> AsyncIterator[Trail]:
        """Every decision on record, in the order in which they were taken in."""
        await self._flush()
        after = 0
        while page := await self._read(reading.page, after):
            for logged in page:
                yield logged.trail
            after = page[-1].seq

    async def recent(self, limit: int) -> list[Trail]:
        """The newest decisions, newest first."""
        await self._flush()
        return [logged.trail for logged in await self._read(reading.newest, limit)]

    async def unsettled(self) -> list[Dispatch]:
        """Decisions that have no outcome, oldest first."""
        await self._flush()
        return await self._read(reading.unsettled)

    async def state(self) -> State:
        """What the log amounts to."""
        await self._flush()
        return await self._read(folding.state_of)

    async def rebuilt(self) -> State:
        """The same, computed anew from the log and from what pruned rows have added; takes 30 us a row or so."""
        await self._flush()
        reader = _Reader(self.path)  # of its own, so that nobody waits behind it
        try:
            return await reader.read(folding.rebuilt_of)
        finally:
            await reader.aclose()

    async def replace(self, state: State) -> None:
        """Puts another state in the place of the one that is kept."""

        def work(connection: sqlite3.Connection) -> int:
            with transaction(connection):
                folding.replace(connection, state)
            return 0

        await self._writing().ask(Alone(work))

    async def prune(self, before: float) -> int:
        """Forgets settled decisions older than that instant and gives their room back to the disk; returns how many.

        It goes in small steps, between which others are written.
        """
        page = Alone(partial(prune_page, before=before))
        pruned = 0
        while gone := await self._writing().ask(page):
            pruned += gone
        return pruned

    async def aclose(self) -> None:
        """Writes what is still waiting and closes the file; a second call does nothing.

        Raises:
            StoreError: some of it could not be written; the file is closed all the same.
        """
        writer, self._writer = self._writer, None
        reader, self._reader = self._reader, None
        try:
            if reader is not None:
                await reader.aclose()
        finally:
            if writer is not None:
                await writer.aclose()

    def _writing(self) -> Writer:
        if self._writer is None:
            raise StoreError(f"{self.path}: the store is closed; open it first")
        return self._writer

    async def _flush(self) -> StoreError | None:
        """Waits until everything is written that was asked for before; where that fails, reads see what is there."""
        writer = self._writing()
        if not writer.settled:
            try:
                await writer.ask(Flush())
            except StoreError as error:
                return error
        return None

    async def _read(self, query: Callable[..., T], *values: object) -> T:
        if self._reader is None:
            raise StoreError(f"{self.path}: the store is closed; open it first")
        return await self._reader.read(query, *values)


class _Reader:
    """One connection and the thread that reads through it."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="banditroute-read")
        self._connection: sqlite3.Connection | None = None

    async def read(self, query: Callable[..., T], *values: object) -> T:
        """What a query finds, all of it as of one instant."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._run, query, *values)

    async def aclose(self) -> None:
        """Lets go of both, whatever is being read first coming to its end."""
        await asyncio.get_running_loop().run_in_executor(self._thread, self._disconnect)
        self._thread.shutdown(wait=False)

    def _run(self, query: Callable[..., T], *values: object) -> T:
        with explained(self._path, "read the store"):
            if self._connection is None:
                self._connection = connect_to_read(self._path)
            with transaction(self._connection, "DEFERRED"):
                return query(self._connection, *values)

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
