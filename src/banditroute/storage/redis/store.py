"""A store on a Redis server, or Valkey, which many processes on many hosts share."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping, Sequence

from banditroute.errors import StoreError, UnknownDecisionError
from banditroute.learning.evidence import Evidence
from banditroute.records import Alarm, Feedback, Incident
from banditroute.routing.lessons import Edge, Lesson
from banditroute.storage.checking import check_dispatch, check_incident, check_numbers, check_sums, is_unicode
from banditroute.storage.protocol import Deleted, Dispatch, Named, Settlement, State, StoredKey, Switch, Trail
from banditroute.storage.sharing import News, Report

from . import operations
from .address import address_of
from .deleting import Deletion
from .exchanging import exchange
from .link import Link
from .namespace import Namespace
from .pruning import prune
from .reading import Reader
from .sundries import key_bytes, switch_bytes
from .writer import Writer

DAY_S = 86_400.0
TIMEOUT_S = 2.0


class RedisStore:
    """Keeps everything on a server. What has returned is as durable as the server's own log is set to make it.

    Where the server cannot be reached, whoever waits is told so after a while; what was asked for stays in line, in
    order and up to 64 MiB, and is written once as soon as it can be.

    Args:
        url: where the server is; see `address`.
        namespace: which of the stores on the server.
        retention_s: how long decisions are to be kept; whoever keeps house prunes by it. None = for good.
        keep_prompts: whether the messages of a request are kept.
        timeout_s: seconds to wait for a connection and for a reply.

    Raises:
        ConfigError: the URL or the namespace is none.
    """

    def __init__(
        self,
        url: str,
        *,
        namespace: str = "default",
        retention_s: float | None = 30 * DAY_S,
        keep_prompts: bool = False,
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        self.retention_s = retention_s
        self._address = address_of(url)
        self._namespace = Namespace(namespace)
        self._keep_prompts = keep_prompts
        self._timeout_s = timeout_s
        self._link: Link | None = None
        self._open: tuple[Writer, Reader] | None = None

    async def open(self) -> None:
        """Connects.

        Raises:
            StoreError: the server cannot be reached, or a newer version of the library wrote its keys.
        """
        if self._open is not None:
            return
        link = Link(self._address, self._namespace, self._timeout_s)
        try:
            await link.open()
        except BaseException:
            await link.aclose()
            raise
        self._link, self._open = link, (Writer(link, self._timeout_s), Reader(link, self._namespace))

    def begin(self, dispatch: Dispatch) -> None:
        """Takes a decision in, to be written within about 10 ms and never after its settlement.

        Raises:
            InputError: it cannot be written down.
            StoreError: the store is closed.
        """
        check_dispatch(dispatch)
        self._writer.put(operations.begin(self._namespace, dispatch, keep_prompt=self._keep_prompts))

    async def settle(self, settlement: Settlement) -> bool:
        """Writes an outcome and all that it changes; False where the decision already has one.

        It is written also where whoever waits for it is cancelled, or was told that the server cannot be reached.

        Raises:
            UnknownDecisionError: the decision is not on record.
            InputError: it cannot be written down.
            StoreError: it is not written yet, or a lesson's inputs are not those that its edge has seen.
        """
        check_numbers(settlement.lessons, settlement.charges)
        return await self._writer.ask(operations.settle(self._namespace, settlement))

    async def judge(self, feedback: Feedback, lesson: Lesson) -> bool:
        """Writes a judgement and its lesson; False where that source already judged the decision.

        It is written also where whoever waits for it is cancelled, or was told that the server cannot be reached.

        Raises:
            UnknownDecisionError: the decision is not on record.
            NotServedError: it has no answer that could be judged.
            InputError: it cannot be written down.
            StoreError: it is not written yet, or the lesson's inputs are not those that its edge has seen.
        """
        check_numbers((lesson,))
        return await self._writer.ask(operations.judge(self._namespace, feedback, lesson))

    async def trail(self, decision_id: str) -> Trail:
        """Everything on record of a decision.

        Raises:
            UnknownDecisionError: the decision is not on record.
            StoreError: the server cannot be reached.
        """
        writer = self._writer
        if not is_unicode(decision_id):
            raise UnknownDecisionError(decision_id)
        return await writer.ask(operations.trail(self._namespace, decision_id))

    async def find(self, named: Named, limit: int) -> list[Trail]:
        """The newest decisions that a caller named so, newest first."""
        return await (await self._flushed()).find(named, limit)

    async def trails(self) -> AsyncIterator[Trail]:
        """Every decision on record, in the order in which they were taken in."""
        reader = await self._flushed()
        async for trail in reader.trails():
            yield trail

    async def recent(self, limit: int) -> list[Trail]:
        """The newest decisions, newest first."""
        return await (await self._flushed()).recent(limit)

    async def unsettled(self) -> list[Dispatch]:
        """Decisions that have no outcome, oldest first."""
        return await (await self._flushed()).unsettled()

    async def state(self) -> State:
        """What the log amounts to."""
        return await (await self._flushed()).state()

    async def alarms(self, limit: int) -> list[Alarm]:
        """The newest alarms, newest first; the newest 10,000 are kept."""
        return await (await self._flushed()).alarms(limit)

    async def incidents(self, since: float, limit: int) -> list[Incident]:
        """The newest incidents from an instant on, newest first."""
        return await (await self._flushed()).incidents(since, limit)

    async def note(self, incident: Incident) -> None:
        """Keeps an incident, among the newest.

        Raises:
            InputError: a text in it is no Unicode, or its instant is not finite.
            StoreError: it is not written yet.
        """
        check_incident(incident)
        await self._writer.ask(operations.note(self._namespace, incident))

    async def switches(self) -> list[Switch]:
        """Every switch as it was thrown last, sorted by name."""
        return await (await self._flushed()).switches()

    async def keys(self) -> list[StoredKey]:
        """Every key of the gateway that was made, oldest first."""
        return await (await self._flushed()).keys()

    async def adjust(self, alarms: Sequence[Alarm], sums: Mapping[Edge, Evidence]) -> None:
        """Writes alarms and what they, and forgetting, add to the evidence, all or nothing.

        Raises:
            InputError: it is not finite.
            StoreError: it is not written yet, or its inputs are not those that an edge has seen.
        """
        check_sums(sums)
        await self._writer.ask(operations.adjust(self._namespace, alarms, sums))

    async def throw(self, switch: Switch) -> None:
        """Keeps how a switch was thrown, in the place of how it was before."""
        await self._keep("switches", switch.name, switch_bytes(switch))

    async def keep_key(self, key: StoredKey) -> None:
        """Keeps a key of the gateway, in the place of what was kept of it before."""
        await self._keep("keys", key.key_id, key_bytes(key))

    async def exchange(self, report: Report) -> News:
        """Takes in what a process tells and tells it the news, at one instant of the server's clock.

        Raises:
            StoreError: the server cannot be reached; leases that were granted before hold until their time is up.
        """
        return await self._writer.ask(exchange(self._namespace, report))

    async def rebuilt(self) -> State:
        """The same, computed anew from the log and from what pruned rows have added; others had better not write."""
        return await (await self._flushed()).rebuilt()

    async def replace(self, state: State) -> None:
        """Puts another state in the place of the one that is kept."""
        await self._writer.ask(operations.replace(self._namespace, state))

    async def prune(self, before: float) -> int:
        """Forgets settled decisions older than that instant, in small steps between which others are written."""
        reader, pruned = await self._flushed(), 0
        while rows := await reader.page("settled", "-inf", f"({float(before)!r}"):
            if await self._writer.ask(prune(self._namespace, rows)):
                pruned += len(rows)
        return pruned

    async def forget_prompts(self, before: float) -> int:
        """Forgets the messages of settled decisions older than that instant; returns how many had any."""
        reader, writer, forgotten = await self._flushed(), self._writer, 0
        async for decision_ids in reader.settled_before(before):
            forgotten += await writer.ask(operations.forget_prompts(self._namespace, decision_ids))
        return forgotten

    async def delete_tenant(self, name: str, budgets: Collection[str] = ()) -> Deleted:
        """Forgets a tenant's settled decisions, what they taught, and its keys; what they spent stays.

        It goes in small steps, between which others are written; where one fails, those before it stand.
        """
        reader = await self._flushed()
        return await Deletion(self._namespace, reader, self._writer.ask, name).run(budgets)

    async def aclose(self) -> None:
        """Writes what is still waiting and lets go of the server; a second call does nothing.

        Raises:
            StoreError: some of it could not be written; the store is closed all the same.
        """
        opened, self._open = self._open, None
        link, self._link = self._link, None
        try:
            if opened is not None:
                await opened[0].aclose(operations.flush(self._namespace))
        finally:
            if link is not None:
                await link.aclose()

    async def _keep(self, part: str, name: str, value: bytes) -> None:
        await self._writer.ask(operations.keep(self._namespace, part, name, value))

    async def _flushed(self) -> Reader:
        """The reader, once everything is written that was asked for before."""
        writer, reader = self._opened()
        if not writer.settled:
            await writer.ask(operations.flush(self._namespace))
        return reader

    @property
    def _writer(self) -> Writer:
        return self._opened()[0]

    def _opened(self) -> tuple[Writer, Reader]:
        if self._open is None:
            raise StoreError(f"{self._address.shown}: the store is closed; open it first")
        return self._open


class RedisReader(Reader):
    """Reads a store on a server beside the routers that write it.

    Args:
        url: where the server is.
        namespace: which of the stores on the server.
        timeout_s: seconds to wait for a connection and for a reply.

    Raises:
        ConfigError: the URL or the namespace is none.
    """

    def __init__(self, url: str, *, namespace: str = "default", timeout_s: float = TIMEOUT_S) -> None:
        self._keys = Namespace(namespace)
        self._own = Link(address_of(url), self._keys, timeout_s)
        super().__init__(self._own, self._keys)

    async def open(self) -> None:
        """Connects.

        Raises:
            StoreError: the server cannot be reached, or a newer version of the library wrote its keys.
        """
        await self._own.open()

    async def aclose(self) -> None:
        """Lets go of the server; a second call does nothing."""
        await self._own.aclose()
