"""A store in one SQLite file, which several processes of one host may share."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from functools import partial

from banditroute.errors import StoreError, UnknownDecisionError
from banditroute.learning.evidence import Evidence
from banditroute.records import Alarm, Feedback, Incident
from banditroute.routing.lessons import Edge, Lesson

from . import adjusting, folding, keying, noting, switching
from .checking import check_dispatch, check_incident, check_numbers, check_sums
from .codec import dispatch_json, feedback_json, settlement_json
from .committing import Committer
from .connecting import transaction
from .deleting import Deletion
from .operations import Alone, Begin, Exchange, Flush, Judge, Settle
from .protocol import Deleted, Dispatch, Named, Settlement, State, StoredKey, Switch, Trail
from .pruning import forget_prompts, prune_page
from .sharing import News, Report
from .sqlite_reader import SQLiteReader
from .writer import Writer

DAY_S = 86_400.0


class SQLiteStore:
    """Keeps everything in one file. What has returned survives a kill of the process; with `fsync` also a power cut.

    Args:
        path: the file; made where there is none.
        fsync: wait for the disk before anything returns.
        retention_s: how long decisions are to be kept; whoever keeps house prunes by it. None = for good.
        keep_prompts: whether the messages of a request are kept.
        clock: seconds since the epoch, by which leases run out: the one of all processes on the host.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        fsync: bool = False,
        retention_s: float | None = 30 * DAY_S,
        keep_prompts: bool = False,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.path = os.fspath(path)
        self.retention_s = retention_s
        self._fsync = fsync
        self._keep_prompts = keep_prompts
        self._clock = clock
        self._writer: Writer | None = None
        self._reader: SQLiteReader | None = None

    async def open(self) -> None:
        """Makes the store ready; brings an older file up to date.

        Raises:
            StoreError: the file cannot be used, or a newer version of the library wrote it.
        """
        if self._writer is not None:
            return
        committer, reader = Committer(self.path, fsync=self._fsync, clock=self._clock), SQLiteReader(self.path)
        writer = Writer(committer, in_loop=not self._fsync)
        await writer.open()
        self._writer, self._reader = writer, reader
        try:
            await reader.open()
        except BaseException:
            await self.aclose()
            raise

    @property
    def crowded(self) -> bool:
        """Whether another process is known to write decisions into the file too."""
        return self._writer is not None and self._writer.crowded

    def begin(self, dispatch: Dispatch) -> None:
        """Takes a decision in, to be written within about 10 ms and never after its settlement.

        Raises:
            InputError: it cannot be written down.
            StoreError: the store is closed.
        """
        check_dispatch(dispatch)
        decision = dispatch.decision
        prompt = dispatch.prompt if self._keep_prompts else None
        names = dispatch.request_id or None, dispatch.session_id or None
        self._writing().put(Begin(decision.decision_id, decision.at, dispatch_json(dispatch), prompt, *names))

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
        outcome, paces = settlement.outcome, settlement.paces
        settle = Settle(outcome.decision_id, text, settlement.lessons, settlement.charges, paces, outcome.cost_usd)
        return bool(await self._writing().ask(settle))

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
        try:
            return await self._reading().trail(decision_id)
        except UnknownDecisionError as unknown:
            raise failure or unknown from None

    async def find(self, named: Named, limit: int) -> list[Trail]:
        """The newest decisions that a caller named so, newest first."""
        await self._flush()
        return await self._reading().find(named, limit)

    async def trails(self) -> AsyncIterator[Trail]:
        """Every decision on record, in the order in which they were taken in."""
        await self._flush()
        async for trail in self._reading().trails():
            yield trail

    async def recent(self, limit: int) -> list[Trail]:
        """The newest decisions, newest first."""
        await self._flush()
        return await self._reading().recent(limit)

    async def unsettled(self) -> list[Dispatch]:
        """Decisions that have no outcome, oldest first."""
        await self._flush()
        return await self._reading().unsettled()

    async def state(self) -> State:
        """What the log amounts to."""
        await self._flush()
        return await self._reading().state()

    async def alarms(self, limit: int) -> list[Alarm]:
        """The newest alarms, newest first."""
        await self._flush()
        return await self._reading().alarms(limit)

    async def adjust(self, alarms: Sequence[Alarm], sums: Mapping[Edge, Evidence]) -> None:
        """Writes alarms and what they, and forgetting, add to the evidence, all or nothing.

        It is written also where whoever waits for it is cancelled.

        Raises:
            InputError: it is not finite.
            StoreError: the file cannot be written, or its inputs are not those that an edge has seen.
        """
        check_sums(sums)
        await self._writing().ask(Alone(partial(adjusting.adjust, alarms=tuple(alarms), sums=sums)))

    async def incidents(self, since: float, limit: int) -> list[Incident]:
        """The newest incidents from an instant on, newest first."""
        await self._flush()
        return await self._reading().incidents(since, limit)

    async def note(self, incident: Incident) -> None:
        """Keeps an incident, among the newest.

        Raises:
            InputError: a text in it is no Unicode, or its instant is not finite.
            StoreError: the file cannot be written.
        """
        check_incident(incident)
        await self._writing().ask(Alone(partial(noting.note, incident=incident)))

    async def switches(self) -> list[Switch]:
        """Every switch as it was thrown last."""
        await self._flush()
        return await self._reading().switches()

    async def throw(self, switch: Switch) -> None:
        """Keeps how a switch was thrown, in the place of how it was before."""
        await self._writing().ask(Alone(partial(switching.keep, switch=switch)))

    async def keys(self) -> list[StoredKey]:
        """Every key of the gateway that was made, oldest first."""
        await self._flush()
        return await self._reading().keys()

    async def keep_key(self, key: StoredKey) -> None:
        """Keeps a key of the gateway, in the place of what was kept of it before."""
        await self._writing().ask(Alone(partial(keying.keep, key=key)))

    async def rebuilt(self) -> State:
        """The same, computed anew from the log and from what pruned rows have added; takes 30 us a row or so."""
        await self._flush()
        return (await self._reading().compared()).rebuilt

    async def replace(self, state: State) -> None:
        """Puts another state in the place of the one that is kept."""

        def work(connection: sqlite3.Connection) -> int:
            with transaction(connection):
                folding.replace(connection, state)
            return 0

        await self._writing().ask(Alone(work))

    async def exchange(self, report: Report) -> News:
        """Takes in what a process tells and tells it the news; leases run out by the host's clock.

        Raises:
            StoreError: the file cannot be read or written.
        """
        return await self._writing().ask(Exchange(report))

    async def prune(self, before: float) -> int:
        """Forgets settled decisions older than that instant and gives their room back to the disk; returns how many.

        It goes in small steps, between which others are written.
        """
        return await self._page_by_page(partial(prune_page, before=before))

    async def forget_prompts(self, before: float) -> int:
        """Forgets the messages of settled decisions older than that instant; returns how many had any.

        It goes in small steps, between which others are written.
        """
        return await self._page_by_page(partial(forget_prompts, before=before))

    async def delete_tenant(self, name: str, budgets: Collection[str] = ()) -> Deleted:
        """Forgets a tenant's settled decisions, what they taught, and its keys; what they spent stays.

        It goes in small steps, between which others are written; where one fails, those before it stand. What is
        deleted is overwritten in the file.
        """
        deletion = Deletion(name, budgets)
        await self._writing().ask(Alone(deletion.begin))
        while await self._writing().ask(Alone(deletion.step)):
            pass
        await self._writing().ask(Alone(deletion.end))
        return deletion.deleted

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

    async def _page_by_page(self, work: Callable[[sqlite3.Connection], int]) -> int:
        """Has work done until there is no more of it; how much there was."""
        page, done = Alone(work), 0
        while some := await self._writing().ask(page):
            done += some
        return done

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

    def _reading(self) -> SQLiteReader:
        if self._reader is None:
            raise StoreError(f"{self.path}: the store is closed; open it first")
        return self._reader
