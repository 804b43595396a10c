"""What caps have left: dollars are reserved before a call and settled after it, so that a cap holds under concurrency.

The law, at every instant and for every window of every cap, whatever settles, expires, crashes or never reports:

    spent + reserved <= cap + overrun

where `overrun` is what settled above what its reservation held at that moment, known to the dollar. A request whose
answer its caller bounds reserves its true worst case and adds nothing to it.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from banditroute.errors import InputError

from .accounts import PICOS, Account, Book, Books, picos_of
from .budgets import Cap, Charge, Per, Window
from .leasing import Lease
from .windows import period_named

KEPT_S = 86_400.0
"""Seconds for which a reservation can still be settled after it has expired."""

_LEAST_SWEPT = 64
_NONE: tuple[Books, ...] = ()


@dataclass(frozen=True, slots=True)
class Reservation:
    """Dollars set aside for one request.

    Attributes:
        reservation_id: unique among those that are not settled.
        usd: what was asked for; one that was forced may hold less.
        windows: where it is held and will be charged; empty where no cap covers the request.
        expires_at: instant from which it holds nothing, seconds since the epoch.
    """

    reservation_id: str
    usd: float
    windows: tuple[Window, ...]
    expires_at: float


class Ledger:
    """Every cap's account. It has one owner and no clock: `now` is seconds since the epoch.

    Args:
        caps: names unique.

    Raises:
        InputError: two caps have one name.
    """

    def __init__(self, caps: Sequence[Cap]) -> None:
        self._retired: dict[tuple[str, Per], Books] = {}  # of caps that are no longer kept, for when they are again
        self._elsewhere: dict[Window, int] = {}  # on record as spent of caps that are not kept
        self._keep({cap.name: Books(cap) for cap in _named_apart(caps)})
        self._entries: dict[str, _Entry] = {}
        self._due: list[tuple[float, str]] = []
        self._overrun = 0
        self._shared = False
        self._short: Callable[[str], None] | None = None

    @property
    def overrun_usd(self) -> float:
        """Dollars that settled above their reservations since the start: no window rose further above its cap."""
        return self._overrun / PICOS

    def recap(self, caps: Sequence[Cap]) -> None:
        """Keeps other caps from now on: one of the same name and window goes on with what is spent and held in it.

        So does one that is taken out and put back. What stands above a cap that is lowered counts as overrun.

        Raises:
            InputError: two caps have one name; nothing is changed.
        """
        _named_apart(caps)
        self._retired.update({(name, books.cap.per): books for name, books in self._books.items()})
        self._keep({cap.name: self._again(cap) for cap in caps})

    def _again(self, cap: Cap) -> Books:
        books = self._retired.pop((cap.name, cap.per), None)
        if books is not None:
            books.recap(cap)
            return books
        books = Books(cap, shared=self._shared)
        for window in [each for each in self._elsewhere if each.budget == cap.name]:
            if period_named(cap.per, window.period) is not None:
                books.spent_before(window.period, self._elsewhere.pop(window))
        return books

    def _keep(self, books: dict[str, Books]) -> None:
        self._books = books
        self._everywhere = tuple(each for each in books.values() if each.cap.scope.kind == "global")
        self._by_tenant = _by_name(books.values(), "tenant")
        self._by_task = _by_name(books.values(), "task")

    def share(self, short: Callable[[str], None] | None = None) -> None:
        """Gives out no more than leases of the caps from now on, of which it has none yet.

        Args:
            short: is told of each cap that has room for a request while the lease of it has none.
        """
        self._shared, self._short = True, short
        for books in (*self._books.values(), *self._retired.values()):
            books.share()

    def leased(self, now: float, ahead_s: float) -> list[Book]:
        """The windows to ask leases of: those that are open, or will be in so many seconds, or are under way in."""
        return [book for books in self._books.values() for book in books.leased(now, ahead_s)]

    def told(self, charges: Iterable[Charge]) -> None:
        """Takes note of what the store is being told was spent, so that it is not counted again when it answers."""
        for lease, picos in self._leases(charges):
            lease.tell(picos)

    def untold(self, charges: Iterable[Charge]) -> None:
        """Takes note that it may not have been: it goes on counting here."""
        for lease, picos in self._leases(charges):
            lease.owe(picos)

    def lapse(self) -> None:
        """Gives nothing more of the leases out, until others are granted."""
        for books in (*self._books.values(), *self._retired.values()):
            books.lapse()

    def _leases(self, charges: Iterable[Charge]) -> Iterator[tuple[Lease, int]]:
        for charge in charges:
            books = self._books.get(charge.window.budget)
            book = None if books is None else books.opened(charge.window.period)
            if book is not None and book.lease is not None:
                yield book.lease, picos_of(charge.usd)

    def left_usd(self, tenant: str, task: str, now: float, *, leased: bool = False) -> float | None:
        """Dollars that a request may ask for: the least that a cap covering it has left; None where none covers it.

        What is kept for requests to come is not among them; it can be reserved all the same.

        Args:
            tenant: on whose behalf the request comes.
            task: its task class.
            now: the instant.
            leased: only what can be had at once, where other processes spend the caps too.
        """
        covering = self._covering(tenant, task)
        if not covering:
            return None
        found = [books.at(now) for books in covering]
        free = min([book.free for book in found])
        return max(min(free, *[book.left for book in found]) if leased else free, 0) / PICOS

    def keep(self, budget: str, usd: float, now: float) -> None:
        """Keeps dollars of a cap's current window for the cheapest answers to requests that are yet to come."""
        self._books[budget].at(now).kept = picos_of(usd)

    def tightest(self, tenant: str, task: str, now: float) -> Account | None:
        """The cap that has least left of those that cover a request; None where none does."""
        books = [books.at(now) for books in self._covering(tenant, task)]
        return min(books, key=_left).account() if books else None

    def account(self, budget: str, now: float) -> Account:
        """Where the cap of that name stands, which there must be."""
        return self._books[budget].at(now).account()

    def accounts(self, now: float) -> tuple[Account, ...]:
        """Where every cap stands."""
        return tuple(books.at(now).account() for books in self._books.values())

    def reserve(
        self,
        reservation_id: str,
        usd: float,
        tenant: str,
        task: str,
        now: float,
        expires_at: float,
        *,
        force: bool = False,
    ) -> Reservation:
        """Holds dollars in the current window of every cap that covers a request.

        Args:
            reservation_id: unique among those that are not settled.
            usd: the request's worst case; infinite where nothing bounds it, which fits no cap.
            tenant: on whose behalf the request comes.
            task: its task class.
            now: the instant.
            expires_at: when `expire` lets go of what it holds.
            force: hold what is left instead of raising; what it spends above that is overrun.

        Raises:
            BudgetExceededError: it does not fit a cap; nothing is held.
            InputError: the amount is negative or not a number, or the id is taken.
        """
        picos = picos_of(usd)
        covering = self._covering(tenant, task)
        if not covering:
            return Reservation(reservation_id, usd, (), expires_at)
        books = [every.at(now) for every in covering]
        if not force:
            self._check_room(books, picos, now)
        return self._enter(Reservation(reservation_id, usd, tuple(book.window for book in books), expires_at), books)

    def settle(self, reservation_id: str, usd: float) -> tuple[Charge, ...]:
        """Turns a reservation into what was spent, in the windows in which it was made; returns what to charge where.

        Nothing where it is settled or released already, or where no cap covers it: settling twice counts once. One that
        has expired is charged all the same.

        Raises:
            InputError: the amount is negative, infinite or not a number; the reservation stays.
        """
        entry = self._entries.get(reservation_id)
        if entry is None:
            return ()
        spent = _checked_bill(usd)
        del self._entries[reservation_id]
        self._overrun += entry.settle(spent)
        return tuple(Charge(window, usd) for window in entry.reservation.windows) if usd else ()

    def release(self, reservation_id: str) -> None:
        """Lets go of a reservation that nothing was spent of; does nothing where there is none."""
        entry = self._entries.pop(reservation_id, None)
        if entry is not None:
            entry.let_go()

    def expire(self, now: float) -> list[str]:
        """Lets go of what reservations hold whose time is up, and returns their ids; cheap where there are none.

        Each can still be settled for a day.
        """
        expired: list[str] = []
        while self._due and self._due[0][0] <= now:
            at, reservation_id = heapq.heappop(self._due)
            entry = self._entries.get(reservation_id)
            if entry is None or entry.due_at != at:
                continue
            if entry.expired:
                del self._entries[reservation_id]
                continue
            entry.let_go()
            entry.expired = True
            self._await(entry, at + KEPT_S)
            expired.append(reservation_id)
        return expired

    def restore(self, spent_usd: Mapping[Window, float]) -> None:
        """Adds what the store has on record as spent; that of budgets that are not kept waits for when they are."""
        for window, usd in spent_usd.items():
            books = self._books.get(window.budget)
            if books is not None:
                books.spent_before(window.period, picos_of(usd))
            else:
                self._elsewhere[window] = self._elsewhere.get(window, 0) + picos_of(usd)

    def hold(self, reservation: Reservation) -> None:
        """Takes up a reservation that was found unsettled at start, as far as there is room for it.

        Windows that are over, or whose budget no longer exists, hold nothing; they are charged all the same.
        """
        found = [self._books[w.budget].named(w.period) for w in reservation.windows if w.budget in self._books]
        self._enter(reservation, [book for book in found if book is not None])

    def _check_room(self, books: Sequence[Book], picos: int, now: float) -> None:
        """Raises BudgetExceededError for the tightest cap, where an amount does not fit every one."""
        tightest = min(books, key=_left)
        if picos > max(tightest.left, 0):
            for book in books:
                if book.refuse(picos) and self._short is not None:
                    self._short(book.cap.name)
            raise tightest.account().exceeded(now)

    def _covering(self, tenant: str, task: str) -> tuple[Books, ...]:
        if not (self._by_tenant or self._by_task):
            return self._everywhere
        return self._everywhere + self._by_tenant.get(tenant, _NONE) + self._by_task.get(task, _NONE)

    def _enter(self, reservation: Reservation, books: Sequence[Book]) -> Reservation:
        if reservation.reservation_id in self._entries:
            raise InputError(f"reservation {reservation.reservation_id!r} is not settled yet", field="reservation_id")
        picos = picos_of(reservation.usd)
        entry = _Entry(reservation, [(book, book.hold(picos)) for book in books])
        self._entries[reservation.reservation_id] = entry
        self._await(entry, reservation.expires_at)
        return reservation

    def _await(self, entry: _Entry, at: float) -> None:
        """Has `expire` look at an entry at an instant; instants of entries that are settled go when they prevail."""
        entry.due_at = at
        heapq.heappush(self._due, (at, entry.reservation.reservation_id))
        if len(self._due) > 2 * len(self._entries) + _LEAST_SWEPT:
            self._due = [(entry.due_at, reservation_id) for reservation_id, entry in self._entries.items()]
            heapq.heapify(self._due)


class _Entry:
    """A reservation that is not settled, with what it holds in which books."""

    __slots__ = ("_holds", "due_at", "expired", "reservation")

    def __init__(self, reservation: Reservation, holds: list[tuple[Book, int]]) -> None:
        self.reservation = reservation
        self.expired = False
        self.due_at = reservation.expires_at
        self._holds = holds

    def settle(self, spent: int) -> int:
        """Books what was spent in place of what is held; returns the most by which it goes beyond that in any book."""
        return max([book.settle(held, spent) for book, held in self._holds], default=0)

    def let_go(self) -> None:
        """Holds nothing from now on."""
        self.settle(0)
        self._holds = [(book, 0) for book, _ in self._holds]


def _named_apart(caps: Sequence[Cap]) -> Sequence[Cap]:
    if len({cap.name for cap in caps}) < len(caps):
        raise InputError("two budgets have one name", remedy="name each its own", field="budgets")
    return caps


def _left(book: Book) -> int:
    return book.left


def _checked_bill(usd: float) -> int:
    if usd == float("inf"):
        raise InputError("an infinite amount of dollars cannot have been spent", field="usd")
    return picos_of(usd)


def _by_name(all_books: Iterable[Books], kind: str) -> dict[str, tuple[Books, ...]]:
    """The caps of one kind of scope by the name that they cover."""
    found: dict[str, tuple[Books, ...]] = {}
    for books in all_books:
        if books.cap.scope.kind == kind:
            found[books.cap.scope.name] = (*found.get(books.cap.scope.name, _NONE), books)
    return found
