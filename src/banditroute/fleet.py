"""This process among others on one store: tells them what it does and hears of them, once a tick.

Decisions never wait for it. While the store cannot be reached the process goes on by what it has learned and by the
leases that it has, until these are no longer its own; what it missed it hears once the store is back.
"""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol, TypeVar

from banditroute.delivery.availability import Availability
from banditroute.errors import LeaseExceededError, StoreError
from banditroute.observe import Observer, PeersChanged, StoreFailed
from banditroute.routing.accounts import PICOS, Book, picos_of
from banditroute.routing.echoes import Echoes
from banditroute.routing.ledger import Ledger
from banditroute.storage.protocol import Settlement, SharedStore
from banditroute.storage.sharing import Ask, Grant, News, Paid, Report

T = TypeVar("T")

_JITTER = 0.1  # of a tick, so that processes which began together do not go on to come together
_ALIVE_TICKS = 15  # without a word, after which a process counts as gone
_AHEAD_TICKS = 5  # before a window begins, in which leases of it are asked for
_LEAST_GAP = 0.05  # of a tick from one exchange to the next, however much leases are asked for
_RENEWALS = 3  # of a lease, each by half of what nobody has, for which a request waits
_LEAST_GAIN = 0.01  # of what was wanted beyond a lease: where less came, nobody has any, and no request waits for it
_ID_BYTES = 8


@dataclass(frozen=True, slots=True)
class Tempo:
    """How often processes tell each other what they do.

    Attributes:
        tick_s: seconds from one exchange to the next.
        longest_s: seconds that a request may take: so long after its leases have lapsed may a process still spend.
    """

    tick_s: float = 1.0
    longest_s: float = 600.0

    @property
    def alive_s(self) -> float:
        """Seconds without a word after which a process counts as gone, and gives no more of its leases out."""
        return _ALIVE_TICKS * self.tick_s

    @property
    def lease_s(self) -> float:
        """Seconds after which its leases return: by then nothing of it is in flight."""
        return self.alive_s + self.longest_s

    @property
    def ahead_s(self) -> float:
        """Seconds before a window begins from which leases of it are asked for."""
        return _AHEAD_TICKS * self.tick_s


class Home(Protocol):
    """What of a process hears of the others."""

    def hear(self, news: News, *, everything: bool) -> None:
        """Takes up what was learned; with everything, the sums are all there are."""
        ...

    def hear_paid(self, budget: str, requests: int, usd: float) -> None:
        """Takes in what others have served under a paced budget, and what that cost."""
        ...

    async def give_up(self, alive: frozenset[str]) -> None:
        """Settles what is on its way of processes that are not among those.

        Raises:
            StoreError: it could not all be.
        """
        ...


class Fleet:
    """Owns the exchange with other processes, from `join` to `leave`.

    Args:
        store: what they share.
        ledger: the caps.
        observer: is told who comes and goes, and once of each outage of the store.
        clock: seconds since the epoch.
        tempo: how often.

    Attributes:
        holder: this process's name among them.
        others: those that are alive.
        on_duty: this one does what one has to do for all.
        echoes: what this process has taken in that the sums of all may lack.
        availability: the circuits of this process, once there are some.
    """

    def __init__(
        self, store: SharedStore, ledger: Ledger, observer: Observer, clock: Callable[[], float], tempo: Tempo
    ) -> None:
        self.holder = os.urandom(_ID_BYTES).hex()
        self.others: tuple[str, ...] = ()
        self.on_duty = False
        self.echoes = Echoes()
        self.availability: Availability | None = None
        self._store = store
        self._ledger = ledger
        self._observer = observer
        self._clock = clock
        self._tempo = tempo
        self._home: Home | None = None
        self._known = 0
        self._own: dict[str, Paid] = {}  # what the store was asked to write
        self._heard: dict[str, Paid] = {}  # of others, as of the last exchange
        self._cut_off = False
        self._exchanged_at = 0.0
        self._dry: frozenset[str] = frozenset()  # caps of which nobody had anything to give at the last exchange
        self._wake = asyncio.Event()
        self._waiting: list[asyncio.Future[None]] = []
        self._ticking: asyncio.Task[None] | None = None
        self._lapse: asyncio.TimerHandle | None = None
        self._duty: asyncio.Task[None] | None = None
        self._to_give_up = True

    async def join(self, home: Home) -> None:
        """Comes among the others: has leases from then on, and tells home what they know.

        Raises:
            StoreError: the store cannot be reached.
        """
        self._home = home
        self._ledger.share(self._short_of)
        await self.exchange()

    def begin(self) -> None:
        """Exchanges news once a tick from now on."""
        self._take_over()
        self._ticking = asyncio.create_task(self._tick())

    async def leave(self) -> None:
        """Tells the others that this process ends, its leases being theirs; a second call does nothing."""
        tasks = [task for task in (self._ticking, self._duty) if task is not None]
        self._ticking = self._duty = None
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._answer()
        if self._lapse is not None:
            self._lapse.cancel()
        if self._home is not None:
            self._home = None
            self._ledger.lapse()
            try:
                await self._store.exchange(self._report((), leaving=True))
            except StoreError as error:
                self._failed(error)

    def follow(self, availability: Availability) -> None:
        """Has everything told anew: another configuration is in force, whose models have these circuits."""
        self.availability = availability
        self._known = 0
        self._wake.set()

    async def leased(self, begin: Callable[[], T]) -> T:
        """What `begin` returns; dollars that a lease has no room for are asked for first, where there may be any.

        Raises:
            LeaseExceededError: `begin` did, in spite of it.
        """
        for _ in range(_RENEWALS):
            try:
                return begin()
            except LeaseExceededError as error:
                if error.budget in self._dry:
                    raise
                await self._renew()
        return begin()

    def _short_of(self, budget: str) -> None:
        """Asks for leases soon, where a cap's has no room for a request; the next tick does where nobody has any."""
        if budget not in self._dry:
            self._wake.set()

    async def _renew(self) -> None:
        """Asks for leases at once; returns when there is an answer, or none to be had."""
        if self._ticking is None:
            return
        answered = asyncio.get_running_loop().create_future()
        self._waiting.append(answered)
        self._wake.set()
        await answered

    def telling(self, settlement: Settlement) -> None:
        """Takes note that the store is being asked to write a settlement: from here on its sums may have it."""
        self._ledger.told(settlement.charges)
        self._pay(settlement, 1)

    def not_told(self, settlement: Settlement) -> None:
        """Takes note that it was not written, as far as is known."""
        self._ledger.untold(settlement.charges)
        self._pay(settlement, -1)

    def _pay(self, settlement: Settlement, times: int) -> None:
        usd = times * settlement.outcome.cost_usd
        for record in settlement.paces:
            known = self._own.get(record.budget, Paid())
            self._own[record.budget] = Paid(known.requests + times, known.usd + usd)

    async def _tick(self) -> None:
        chance, loop = random.Random(self.holder), asyncio.get_running_loop()
        while True:
            wait_s = self._tempo.tick_s * (1.0 + chance.uniform(-_JITTER, _JITTER))
            with suppress(TimeoutError):
                async with asyncio.timeout(wait_s):
                    await self._wake.wait()
            await asyncio.sleep(self._exchanged_at + _LEAST_GAP * self._tempo.tick_s - loop.time())
            self._wake.clear()
            waiting, self._waiting = self._waiting, []
            try:
                await self.exchange()
                self._take_over()
            except Exception as error:  # noqa: BLE001 - the edge of a loop that nobody waits for: told, and it goes on
                self._failed(error)
            finally:
                self._answer(waiting)

    def _answer(self, waiting: Iterable[asyncio.Future[None]] | None = None) -> None:
        for future in self._waiting if waiting is None else waiting:
            if not future.done():
                future.set_result(None)

    async def exchange(self) -> None:
        """One exchange, and what follows from it; one at a time.

        Raises:
            StoreError: there was none.
        """
        loop, home = asyncio.get_running_loop(), self._home
        assert home is not None, "joined"
        books = self._ledger.leased(self._clock(), self._tempo.ahead_s)
        report = self._report(self._asks(books))
        self.echoes.ask()
        own, sent_at = dict(self._own), loop.time()
        self._exchanged_at = sent_at
        news = await self._store.exchange(report)
        if self._home is None:
            return
        self._keep_leases(books, report.asks, news.grants, sent_at)
        home.hear(news, everything=report.known == 0)
        self._known = news.version if self._known == report.known else 0
        self._hear_paid(home, news.paid, own, first=self.echoes.turn == 1)
        if self.availability is not None:
            self.availability.hear(news.circuits, self._clock())
        self._meet(news)
        self._cut_off = False

    def _asks(self, books: Iterable[Book]) -> tuple[Ask, ...]:
        asks: list[Ask] = []
        for book in books:
            need = book.ask(len(self.others) + 1)
            asks.append(Ask(book.window, book.usd / PICOS, need.held / PICOS, need.wanted / PICOS))
        return tuple(asks)

    def _report(self, asks: tuple[Ask, ...], *, leaving: bool = False) -> Report:
        circuits = ()
        if self.availability is not None and not leaving:
            circuits = self.availability.found_broken(self._clock(), self._tempo.ahead_s)
        tempo = self._tempo
        return Report(self.holder, tempo.alive_s, tempo.lease_s, asks, circuits, self._known, leaving)

    def _keep_leases(self, books: Iterable[Book], asks: Iterable[Ask], grants: Iterable[Grant], sent_at: float) -> None:
        """Takes up what was granted, until others may count this process as gone."""
        dry, flowing = set[str](), set[str]()
        for book, ask, grant in zip(books, asks, grants, strict=True):
            book.granted(picos_of(grant.usd), picos_of(grant.spent_usd))
            gained = grant.usd - ask.held_usd >= _LEAST_GAIN * (ask.wanted_usd - ask.held_usd)
            (flowing if gained else dry).add(ask.window.budget)
        self._dry = frozenset(dry - flowing)
        if self._lapse is not None:
            self._lapse.cancel()
        loop = asyncio.get_running_loop()
        self._lapse = loop.call_at(sent_at + self._tempo.alive_s, self._ledger.lapse)

    def _hear_paid(self, home: Home, paid: Mapping[str, Paid], own: Mapping[str, Paid], *, first: bool) -> None:
        """Tells home what others have paid for since the last exchange: all that is on record but its own."""
        for budget, (requests, usd) in paid.items():
            mine = own.get(budget, Paid())
            theirs = Paid(requests - mine.requests, usd - mine.usd)
            before = self._heard.get(budget, Paid())
            self._heard[budget] = theirs
            if not first and theirs.requests > before.requests:
                home.hear_paid(budget, theirs.requests - before.requests, max(theirs.usd - before.usd, 0.0))

    def _meet(self, news: News) -> None:
        """Takes note of who is there; what those leave behind that are gone is for the one on duty to end."""
        before, now = frozenset(self.others), frozenset(news.others)
        if before != now:
            self._observer.notify(PeersChanged(tuple(sorted(now - before)), tuple(sorted(before - now)), news.others))
        if before - now or (news.on_duty and not self.on_duty):
            self._to_give_up = True
        self.others, self.on_duty = news.others, news.on_duty

    def _take_over(self) -> None:
        """Has what is on its way of processes that are gone given up, where that is this one's to do."""
        if self._to_give_up and self.on_duty and self._duty is None:
            self._to_give_up = False
            self._duty = asyncio.create_task(self._give_up())

    async def _give_up(self) -> None:
        try:
            if self._home is not None:
                await self._home.give_up(frozenset((self.holder, *self.others)))
        except StoreError as error:
            self._to_give_up = True
            self._observer.notify(StoreFailed("give up what a process left behind", str(error)))
        finally:
            self._duty = None

    def _failed(self, error: Exception) -> None:
        """Tells of an outage, or of a defect with its traceback; of one after another, until there are news, once."""
        if self._cut_off:
            return
        self._cut_off = True
        if isinstance(error, StoreError):
            self._observer.notify(StoreFailed("hear of the other processes on the store", str(error)))
        else:
            context = {"message": "the other processes on the store were not heard of", "exception": error}
            asyncio.get_running_loop().call_exception_handler(context)
