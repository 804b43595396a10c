"""A store of two: its log in PostgreSQL, which is the truth, and what that amounts to in Redis, which is fast to share.

What has returned is committed to the log, together with a row that says it is in no sum yet. Once a tick the process
adds what it has logged to the sums in Redis, by one script that also moves the process's mark there: up to which batch
of its log that was. Then the rows up to the mark are let go of. A row above the mark counts by itself, and one below it
is in the sums, wherever a crash falls and whoever adds.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection
from contextlib import asynccontextmanager
from functools import partial
from typing import ClassVar, TypeVar

from banditroute.errors import StoreError
from banditroute.storage.postgres.connecting import connect
from banditroute.storage.postgres.driver import Connection
from banditroute.storage.postgres.faults import explained
from banditroute.storage.postgres.store import DAY_S, PostgresStore
from banditroute.storage.protocol import Deleted, State
from banditroute.storage.sharing import News, Report

from .backlog import Backlog
from .editions import Editions
from .faults import UnsoundError
from .folding import PairedFolder
from .ledger import Ledger
from .reader import TIMEOUT_S, PairedReader
from .sums import Marked, RedisSums, Told

T = TypeVar("T")

_ATTEMPTS = 4
_ADD_EVERY_S = 1.0
_LOOK_EVERY_S = 5.0


class PairedStore(PostgresStore):
    """Keeps the log in PostgreSQL, and what it amounts to, with leases, circuits and who is there, in Redis.

    While Redis is away everything is logged as ever, and added when it is back. What Redis has lost is computed anew
    from the log.

    Args:
        log_url: of the database; never shown.
        url: of the Redis server; never shown.
        namespace: which of the stores in both.
        retention_s: how long decisions are to be kept; whoever keeps house prunes by it. None = for good.
        keep_prompts: whether the messages of a request are kept.
        by_day: whether pruning leaves the day of its instant whole.
        patience_s: how long work on the log is tried again.
        timeout_s: seconds to wait for Redis.

    Raises:
        ConfigError: a URL or the namespace is none.
    """

    _in_turn: ClassVar[bool] = True

    def __init__(
        self,
        log_url: str,
        url: str,
        *,
        namespace: str = "default",
        retention_s: float | None = 30 * DAY_S,
        keep_prompts: bool = False,
        by_day: bool = True,
        patience_s: float = 5.0,
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        super().__init__(
            log_url,
            namespace=namespace,
            retention_s=retention_s,
            keep_prompts=keep_prompts,
            by_day=by_day,
            patience_s=patience_s,
        )
        self._sums = RedisSums(url, namespace, timeout_s)
        self._backlog = Backlog(self._place, self._sums)
        self._ledger = Ledger(self._sums, self._id)
        self._editions = Editions(self._place, self._sums, self._doubt, patience_s)
        self._paired = PairedFolder(self._place, self._id, self._sums, self._edition, self._ledger.take)
        self._folder = self._paired
        self._paired_reader = PairedReader(log_url, url, namespace=namespace, timeout_s=timeout_s)
        self._reader = self._paired_reader
        self._turn = asyncio.Lock()
        self._keeping_up: asyncio.Task[None] | None = None
        self._added_at = self._looked_at = 0.0
        self._amended = 0  # times, as far as that is added

    async def open(self) -> None:
        """Makes the store ready; computes the sums anew where Redis has lost them.

        Raises:
            StoreError: one of both servers cannot be used.
        """
        if self._keeping_up is not None:
            return
        try:
            await self._sums.open()
            await super().open()
            await self._editions.number(patient=True)
            await self._soundly(self._bring_all_up)
        except BaseException:
            with contextlib.suppress(StoreError):
                await self.aclose()
            raise
        self._keeping_up = asyncio.create_task(self._keep_up(), name="banditroute-paired")

    async def exchange(self, report: Report) -> News:
        """Takes in what a process tells and tells it the news, all at one instant of Redis's clock.

        Raises:
            StoreError: a server cannot be reached; leases that were granted before hold until their time is up.
        """
        async with self._turn:
            news = await self._soundly(partial(self._exchanged, report))
            with contextlib.suppress(StoreError):  # nobody waits for it
                await self._look_around(news)
            return news

    async def state(self) -> State:
        """What the log amounts to."""
        await self._flush()

        async def read(_: int) -> State:
            return await self._reader.state()

        return await self._soundly(read)

    async def rebuilt(self) -> State:
        """The same, computed anew from the log and from what pruned rows have added; takes 50 us a row or so."""
        await self._flush()
        return await self._paired_reader.recounted()

    async def replace(self, state: State) -> None:
        """Puts another state in the place of the one that is kept."""
        widths = [(edge, sums.b.size) for edge, sums in state.evidence.items()]
        await self._writing().alone(lambda connection: self._edges.learn(connection, widths), patient=True)
        async with self._turn:
            await self._editions.replace(state)

    async def prune(self, before: float) -> int:
        """Forgets settled decisions older than that instant, or than its day; returns how many."""
        prune = super().prune
        return await self._soundly(lambda _: prune(before))

    async def delete_tenant(self, name: str, budgets: Collection[str] = ()) -> Deleted:
        """Forgets a tenant's settled decisions, what they taught, and its keys; what they spent stays."""
        delete = super().delete_tenant
        return await self._soundly(lambda _: delete(name, budgets))

    async def aclose(self) -> None:
        """Writes and adds what is still waiting and lets go of everything; a second call does nothing.

        Where Redis is away, what was logged is added by another process, or by the next.

        Raises:
            StoreError: some of it could not be written; everything is let go of all the same.
        """
        task, self._keeping_up = self._keeping_up, None
        try:
            if task is not None:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
                with contextlib.suppress(StoreError):
                    await self._add()
        finally:
            await self._editions.aclose()
            try:
                await super().aclose()
            finally:
                await self._sums.aclose()

    async def _begin_work(self, connection: Connection) -> None:
        """Makes sure that the database keeps what it has told that it keeps.

        Raises:
            StoreError: it does not; the sums would have what the log has lost, and marks of batches to come.
        """
        if await connection.fetchval("SHOW synchronous_commit") == "off":
            problem = "synchronous_commit is off, so the log may lose what is in the sums already"
            raise StoreError(f"{self._place}: {problem}; set it on for this user")

    async def _soundly(self, work: Callable[[int], Awaitable[T]]) -> T:
        """What work with the edition that counts returns; begun again where another turns out to.

        Raises:
            StoreError: it cannot be done.
        """
        self._writing()
        for _ in range(_ATTEMPTS):
            number = await self._editions.number()
            try:
                return await work(number)
            except UnsoundError:
                self._editions.forget(number)
        raise StoreError(f"{self._sums.where}: the sums are lost again and again")

    def _edition(self) -> int:
        number = self._editions.known
        if number is None:
            raise UnsoundError(f"{self._sums.where}: which sums count is not settled yet")
        return number

    def _doubt(self) -> None:
        """Another edition has begun: what this process has logged and not added may be in it."""
        self._ledger.doubt()
        writer = self._writer
        if writer is not None and (writer.scribe.pending.rows or not writer.settled):
            writer.scribe.pending.sure = False

    async def _exchanged(self, report: Report, edition: int) -> News:
        told = await self._told(edition, report, ())
        if cleared := [name for name, writer in told.overdue.items() if await self._is_cleared(edition, writer)]:
            told = await self._told(edition, report, cleared)
        assert told.news is not None, "the last attempt tells or raises"
        return told.news

    async def _is_cleared(self, edition: int, writer: str) -> bool:
        """Whether all is added that somebody has logged who is gone; until it is, its leases stay."""
        try:
            await self._bring_up(edition, writer)
        except UnsoundError:
            raise
        except StoreError:
            return False
        return True

    async def _told(self, edition: int, report: Report, cleared: Collection[str]) -> Told:
        """What came of a report, once all is added that this process has logged."""
        for _ in range(_ATTEMPTS):
            marked = await self._added(edition)
            told = await self._sums.exchange(edition, self._id, marked.mark, cleared, report)
            if told.news is not None:
                return told
            self._ledger.doubt()  # somebody else has added what this process logged
        raise UnsoundError(f"{self._sums.where}: the sums change under this process's hands")

    async def _add(self) -> None:
        async with self._turn:
            await self._soundly(self._added)

    async def _added(self, edition: int) -> Marked:
        """Adds all that this process has logged until now; up to which batch that was."""
        writer = self._writing()
        await writer.alone(writer.scribe.fold)
        marked = await self._ledger.added(edition)
        if marked is None:
            marked = await self._bring_up(edition, self._id, self._ledger.last)
            self._ledger.set(marked)
        elif marked.changes:
            await self._let_go(edition, marked)
        if self._amended != (amended := self._paired.amended):
            await self._bring_up(edition, self._paired.amender)
            self._amended = amended
        self._added_at = time.monotonic()
        return marked

    async def _let_go(self, edition: int, marked: Marked) -> None:
        """Lets go of batches that were added; what cannot be now is the next time."""
        work = partial(self._backlog.let_go, edition=edition, writer=self._id, marked=marked)
        try:
            is_gone: bool = await self._writing().alone(work)
        except StoreError:
            return
        if not is_gone:
            raise UnsoundError(f"{self._sums.where}: another edition of the sums has begun")
        self._ledger.let_go()

    async def _bring_up(self, edition: int, writer: str, *upto: int) -> Marked:
        async with self._connected() as connection:
            return await self._backlog.bring_up(connection, edition, writer, *upto)

    @asynccontextmanager
    async def _connected(self) -> AsyncGenerator[Connection]:
        """A connection of its own: nobody who writes the log is to wait for Redis."""
        with explained(str(self._place), "add up what was written"):
            connection = await connect(self._place)
            try:
                yield connection
            finally:
                connection.terminate()

    async def _bring_all_up(self, edition: int) -> None:
        """Adds what others have logged, so that the first news are no older than the state."""
        async with self._connected() as connection:
            for writer in await self._backlog.writers(connection):
                await self._backlog.bring_up(connection, edition, writer)

    async def _look_around(self, news: News) -> None:
        """Adds what processes have logged that are gone, if that is this one's duty."""
        now = time.monotonic()
        if not news.on_duty or now - self._looked_at < _LOOK_EVERY_S:
            return
        self._looked_at = now
        edition = self._edition()
        async with self._connected() as connection:
            for writer in await self._backlog.orphans(connection, (self._id, self._paired.amender)):
                await self._backlog.bring_up(connection, edition, writer)

    async def _keep_up(self) -> None:
        """Adds what was logged where no exchange does."""
        while True:
            await asyncio.sleep(_ADD_EVERY_S)
            if time.monotonic() - self._added_at > _ADD_EVERY_S:
                with contextlib.suppress(StoreError):  # it is tried again; whoever asks for the sums hears of it
                    await self._add()
