"""A store in PostgreSQL, which many processes on many hosts may share."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from functools import partial
from typing import ClassVar

from banditroute.errors import StoreError, UnknownDecisionError
from banditroute.learning.evidence import Evidence
from banditroute.records import Alarm, Feedback, Incident
from banditroute.routing.lessons import Edge, Lesson
from banditroute.storage.checking import check_dispatch, check_incident, check_numbers, check_sums
from banditroute.storage.codec import dispatch_json, feedback_json, incident_json, names_json, settlement_json
from banditroute.storage.noting import KEPT
from banditroute.storage.protocol import Deleted, Dispatch, Named, Settlement, State, StoredKey, Switch, Trail
from banditroute.storage.sharing import News, Report

from .address import Place
from .batch import BatchWriter
from .connecting import LONG_S, connect, disconnect
from .deleting import Deletion
from .driver import Connection
from .edges import KnownEdges
from .elsewhere import check_here
from .exchanging import Exchanger
from .faults import explained
from .folding import Folder
from .migrating import migrate
from .operations import Begin, Judge, Settle, new_token
from .pruning import Pruner
from .reader import PostgresReader
from .scribe import Scribe
from .session import Session
from .texts import check_texts
from .writer import Writer

DAY_S = 86_400.0

_THROW = (
    "INSERT INTO {schema}.switch (name, value, at, configured) VALUES ($1, $2, $3, $4) ON CONFLICT (name) "
    "DO UPDATE SET value = excluded.value, at = excluded.at, configured = excluded.configured"
)
_NOTE = "INSERT INTO {schema}.incident (at, digest, incident) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING"
_FORGET = (
    "DELETE FROM {schema}.incident WHERE at < (SELECT at FROM {schema}.incident ORDER BY at DESC LIMIT 1 OFFSET $1)"
)
_FORGET_PROMPTS = """
WITH old AS (
    SELECT d.seq, d.day FROM {schema}.decision d WHERE d.prompt IS NOT NULL AND d.at < $1
    AND EXISTS (SELECT FROM {schema}.outcome o WHERE o.decision = d.seq AND o.day = d.day) LIMIT 256
), forgotten AS (
    UPDATE {schema}.decision d SET prompt = NULL FROM old WHERE d.seq = old.seq AND d.day = old.day RETURNING 1
)
SELECT count(*) FROM forgotten
"""
_KEEP_KEY = (
    "INSERT INTO {schema}.gateway_key VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (key_id) "
    "DO UPDATE SET (name, digest, tenant, models, tasks, requests_per_minute, admin, created_at, revoked_at) = "
    "(excluded.name, excluded.digest, excluded.tenant, excluded.models, excluded.tasks, "
    "excluded.requests_per_minute, excluded.admin, excluded.created_at, excluded.revoked_at)"
)


class PostgresStore:
    """Keeps everything in one schema of a database. What has returned survives whatever the server's commits survive.

    Where the server is away, work is tried again for some seconds; then whoever waits gets a StoreError, and what was
    asked for is kept (the newest 10,000) and written when the server is back, once.

    Args:
        url: of the database, `postgresql://user:password@host:port/name`; never shown.
        namespace: which of the stores in it; its tables are in a schema of their own.
        retention_s: how long decisions are to be kept; whoever keeps house prunes by it. None = for good.
        keep_prompts: whether the messages of a request are kept.
        by_day: whether pruning leaves the day of its instant whole, so that only whole partitions go.
        patience_s: how long work is tried again.
    """

    _in_turn: ClassVar[bool] = False

    def __init__(
        self,
        url: str,
        *,
        namespace: str = "default",
        retention_s: float | None = 30 * DAY_S,
        keep_prompts: bool = False,
        by_day: bool = True,
        patience_s: float = 5.0,
    ) -> None:
        self.retention_s = retention_s
        self._place = Place(url, namespace)
        self._keep_prompts = keep_prompts
        self._by_day = by_day
        self._patience_s = patience_s
        self._reader = PostgresReader(url, namespace=namespace)
        self._id = str(uuid.uuid4())
        self._edges = KnownEdges(self._place)
        self._folder = Folder(self._place, self._id)
        self._exchanger = Exchanger(self._place, self._id, self._folder)
        self._writer: Writer | None = None

    async def open(self) -> None:
        """Makes the store ready; brings older tables up to date.

        Raises:
            StoreError: the database cannot be used, or a newer version of the library wrote it.
        """
        if self._writer is not None:
            return
        session = Session(self._place, partial(migrate, place=self._place), patience_s=self._patience_s)
        batches = BatchWriter(self._place, self._id, self._edges, in_turn=self._in_turn)
        scribe = Scribe(session, batches, self._folder)
        writer = Writer(scribe, str(self._place), self._patience_s)
        self._writer = writer
        try:
            await writer.alone(self._begin_work, patient=True)
            await self._reader.open()
        except BaseException:
            self._writer = None
            await writer.abort()
            raise

    def begin(self, dispatch: Dispatch) -> None:
        """Takes a decision in, to be written within about 10 ms and never after its settlement.

        Raises:
            InputError: it cannot be written down.
            StoreError: the store is closed.
        """
        check_dispatch(dispatch)
        decision = dispatch.decision
        check_texts(decision_id=decision.decision_id, task=decision.context.task)
        prompt = dispatch.prompt if self._keep_prompts else None
        self._writing().put(Begin(decision.decision_id, decision.at, dispatch_json(dispatch), prompt))

    async def settle(self, settlement: Settlement) -> bool:
        """Writes an outcome and all that it changes; False where the decision already has one.

        It is written also where whoever waits for it is cancelled.

        Raises:
            UnknownDecisionError: the decision is not on record.
            InputError: it cannot be written down.
            StoreError: it is not written yet, or a lesson's inputs are not those that its edge has seen.
        """
        check_numbers(settlement.lessons, settlement.charges)
        outcome, text = settlement.outcome, settlement_json(settlement)
        rest = settlement.lessons, settlement.charges, settlement.paces
        settle = Settle(outcome.decision_id, new_token(), outcome.ok, outcome.cost_usd, text, *rest)
        return bool(await self._writing().ask(settle))

    async def judge(self, feedback: Feedback, lesson: Lesson) -> bool:
        """Writes a judgement and its lesson; False where that source already judged the decision.

        It is written also where whoever waits for it is cancelled.

        Raises:
            UnknownDecisionError: the decision is not on record.
            NotServedError: it has no answer that could be judged.
            InputError: it cannot be written down.
            StoreError: it is not written yet, or the lesson's inputs are not those that its edge has seen.
        """
        check_numbers((lesson,))
        check_texts(source=feedback.source)
        text = feedback_json(feedback)
        return bool(await self._writing().ask(Judge(feedback.decision_id, new_token(), feedback.source, text, lesson)))

    async def exchange(self, report: Report) -> News:
        """Takes in what a process tells and tells it the news, all at one instant of the server's clock.

        Raises:
            StoreError: the database cannot be reached; leases that were granted before hold until their time is up.
        """
        writer = self._writing()
        scribe = writer.scribe

        async def work(connection: Connection) -> News:
            news = await self._exchanger.exchange(connection, report, scribe.pending)
            scribe.folded()
            return news

        return await writer.alone(work)

    async def trail(self, decision_id: str) -> Trail:
        """Everything on record of a decision.

        Raises:
            UnknownDecisionError: the decision is not on record.
            StoreError: the database cannot be read, or cannot be written and may lack the decision for that reason.
        """
        failure = await self._flush()
        try:
            return await self._reader.trail(decision_id)
        except UnknownDecisionError as unknown:
            raise failure or unknown from None

    async def find(self, named: Named, limit: int) -> list[Trail]:
        """The newest decisions that a caller named so, newest first."""
        await self._flush()
        return await self._reader.find(named, limit)

    async def trails(self) -> AsyncIterator[Trail]:
        """Every decision on record, in the order in which they were taken in."""
        await self._flush()
        async for trail in self._reader.trails():
            yield trail

    async def recent(self, limit: int) -> list[Trail]:
        """The newest decisions, newest first."""
        await self._flush()
        return await self._reader.recent(limit)

    async def unsettled(self) -> list[Dispatch]:
        """Decisions that have no outcome, oldest first."""
        await self._flush()
        return await self._reader.unsettled()

    async def state(self) -> State:
        """What the log amounts to."""
        await self._flush()
        return await self._reader.state()

    async def alarms(self, limit: int) -> list[Alarm]:
        """The newest alarms, newest first."""
        await self._flush()
        return await self._reader.alarms(limit)

    async def adjust(self, alarms: Sequence[Alarm], sums: Mapping[Edge, Evidence]) -> None:
        """Writes alarms and what they, and forgetting, add to the evidence, all or nothing.

        It is written also where whoever waits for it is cancelled.

        Raises:
            InputError: it is not finite.
            StoreError: it cannot be written, or its inputs are not those that an edge has seen.
        """
        check_sums(sums)
        token, told = new_token(), tuple(alarms)
        widths = [(edge, more.b.size) for edge, more in sums.items()]

        async def work(connection: Connection) -> None:
            await self._edges.learn(connection, widths)
            self._edges.check(widths)
            async with connection.transaction():
                await self._folder.adjust(connection, token, told, sums)

        await self._writing().alone(work)

    async def incidents(self, since: float, limit: int) -> list[Incident]:
        """The newest incidents from an instant on, newest first."""
        await self._flush()
        return await self._reader.incidents(since, limit)

    async def note(self, incident: Incident) -> None:
        """Keeps an incident, among the newest.

        Raises:
            InputError: a text in it is no Unicode, or its instant is not finite.
            StoreError: it cannot be written.
        """
        check_incident(incident)
        text = incident_json(incident)
        digest = hashlib.sha256(text.encode()).digest()

        async def work(connection: Connection) -> None:
            await connection.execute(self._place.sql(_NOTE), incident.at, digest, text)
            await connection.execute(self._place.sql(_FORGET), KEPT - 1)

        await self._writing().alone(work)

    async def switches(self) -> list[Switch]:
        """Every switch as it was thrown last."""
        await self._flush()
        return await self._reader.switches()

    async def throw(self, switch: Switch) -> None:
        """Keeps how a switch was thrown, in the place of how it was before."""
        check_texts(value=switch.value, configured=switch.configured)
        row = switch.name, switch.value, switch.at, switch.configured
        await self._writing().alone(lambda connection: connection.execute(self._place.sql(_THROW), *row))

    async def keys(self) -> list[StoredKey]:
        """Every key of the gateway that was made, oldest first."""
        await self._flush()
        return await self._reader.keys()

    async def keep_key(self, key: StoredKey) -> None:
        """Keeps a key of the gateway, in the place of what was kept of it before."""
        check_texts(name=key.name, tenant=key.tenant)
        row = (
            *(key.key_id, key.name, key.digest, key.tenant, names_json(key.models), names_json(key.tasks)),
            *(key.requests_per_minute, key.admin, key.created_at, key.revoked_at),
        )
        await self._writing().alone(lambda connection: connection.execute(self._place.sql(_KEEP_KEY), *row))

    async def rebuilt(self) -> State:
        """The same, computed anew from the log and from what pruned rows have added; takes 50 us a row or so."""
        await self._flush()
        return (await self._reader.compared()).rebuilt

    async def replace(self, state: State) -> None:
        """Puts another state in the place of the one that is kept."""
        writer = self._writing()

        async def work(connection: Connection) -> None:
            await self._edges.learn(connection, [(edge, sums.b.size) for edge, sums in state.evidence.items()])
            async with connection.transaction():
                await self._folder.replace(connection, state)
            writer.scribe.folded()

        await writer.alone(work, patient=True)

    async def prune(self, before: float) -> int:
        """Forgets settled decisions older than that instant, or than its day; returns how many.

        Whole days go at once; others are written meanwhile.
        """
        await self._writing().alone(_nothing, patient=True)
        with explained(str(self._place), "prune the store"):
            connection = await connect(self._place, LONG_S)
            try:
                return await Pruner(self._place, connection, self._folder).prune(before, by_day=self._by_day)
            finally:
                await disconnect(connection)

    async def forget_prompts(self, before: float) -> int:
        """Forgets the messages of settled decisions older than that instant; returns how many had any."""

        async def work(connection: Connection) -> int:
            return await connection.fetchval(self._place.sql(_FORGET_PROMPTS), before)

        forgotten = 0
        while some := await self._writing().alone(work):
            forgotten += some
        return forgotten

    async def delete_tenant(self, name: str, budgets: Collection[str] = ()) -> Deleted:
        """Forgets a tenant's settled decisions, what they taught, and its keys; what they spent stays.

        It goes in small steps, between which others write; where one fails, those before it stand.
        """
        check_texts(tenant=name)
        await self._writing().alone(_nothing, patient=True)
        with explained(str(self._place), "delete a tenant"):
            connection = await connect(self._place, LONG_S)
            try:
                await Pruner(self._place, connection, self._folder).finish()  # rows of a detached day are nowhere else
                return await Deletion(self._place, connection, self._folder, name).run(budgets)
            finally:
                connection.terminate()

    async def aclose(self) -> None:
        """Writes what is still waiting and lets go of everything; a second call does nothing.

        Raises:
            StoreError: some of it could not be written; everything is let go of all the same.
        """
        writer, self._writer = self._writer, None
        try:
            await self._reader.aclose()
        finally:
            if writer is not None:
                await writer.aclose()

    async def _begin_work(self, connection: Connection) -> None:
        await check_here(connection, self._place)

    def _writing(self) -> Writer:
        if self._writer is None:
            raise StoreError(f"{self._place}: the store is closed; open it first")
        return self._writer

    async def _flush(self) -> StoreError | None:
        """Waits until everything is written that was asked for before; where that fails, reads see what is there."""
        writer = self._writing()
        if not writer.settled:
            try:
                await writer.alone(_nothing)
            except StoreError as error:
                return error
        return None


async def _nothing(_: Connection) -> None:
    """Is done when everything before is."""
