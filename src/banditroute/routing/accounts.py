"""One cap's account: what is spent and reserved in its current window, and how it passes to the next."""

from __future__ import annotations

from dataclasses import dataclass

from banditroute.errors import BudgetExceededError, InputError, LeaseExceededError

from .budgets import Cap, Window
from .leasing import Lease, Need
from .windows import Period, period_at, period_named

PICOS = 10**12
"""Parts of a dollar that are counted: whole numbers, so sums are exact and reservations return to zero."""

_MOST_USD = 1e15


def picos_of(usd: float) -> int:
    """The amount in 1e-12 dollars; an infinite one becomes more than any cap allows.

    Raises:
        InputError: it is negative or not a number.
    """
    if not usd >= 0.0:
        raise InputError(f"{usd} is not an amount of dollars", field="usd")
    return round(min(usd, _MOST_USD) * PICOS)


@dataclass(frozen=True, slots=True)
class Account:
    """Where one cap stands.

    Attributes:
        cap: which.
        window: its current window.
        ends_at: the window's end, seconds since the epoch.
        spent_usd: dollars settled in the window.
        reserved_usd: dollars that requests in flight hold.
        overrun_usd: dollars that settled above their reservations in the window: how far it may stand above the cap.
        carried_usd: dollars that the window before left unspent, which may be spent in this one besides.
        elsewhere_usd: dollars of what is left that this process has no lease of: other processes may spend them.
    """

    cap: Cap
    window: Window
    ends_at: float
    spent_usd: float
    reserved_usd: float
    overrun_usd: float
    carried_usd: float = 0.0
    elsewhere_usd: float = 0.0

    @property
    def usd(self) -> float:
        """Dollars that the window allows in all."""
        return self.cap.usd + self.carried_usd

    @property
    def left_usd(self) -> float:
        """Dollars that may still be reserved, never below 0, by whichever process."""
        return max(self.usd - self.spent_usd - self.reserved_usd, 0.0)

    @property
    def at_hand_usd(self) -> float:
        """The same for this process, without asking others: all of it, where there are none."""
        return max(self.left_usd - self.elsewhere_usd, 0.0)

    def exceeded(self, now: float, wanted_usd: float = 0.0) -> BudgetExceededError:
        """The error for a request that the cap turns down; where more is wanted than it has left, no lease would help.

        Args:
            now: the instant.
            wanted_usd: what it would have held, where that is known.
        """
        elsewhere = self.elsewhere_usd > 0.0 and wanted_usd <= self.left_usd
        kind = LeaseExceededError if elsewhere else BudgetExceededError
        return kind(
            self.cap.name,
            cap_usd=self.usd,
            spent_usd=self.spent_usd,
            reserved_usd=self.reserved_usd,
            retry_after_s=max(self.ends_at - now, 0.0),
        )


class Book:
    """One window of one cap, in 1e-12 dollars: spent + reserved <= usd + overrun, always.

    Args:
        cap: which.
        period: the window.
        spent: what is on record as spent in it.
        carried: what the window before left for it.
        lease: what this process has of it, where others spend it too; None = all of it.
    """

    __slots__ = (
        "_own",
        "cap",
        "ends_at",
        "heir",
        "kept",
        "lease",
        "most",
        "overrun",
        "reserved",
        "spent",
        "usd",
        "window",
    )

    def __init__(self, cap: Cap, period: Period, spent: int, carried: int = 0, lease: Lease | None = None) -> None:
        self.cap = cap
        self.window = Window(cap.name, period.name)
        self.ends_at = period.ends_at
        self.heir: Book | None = None  # the next window's, where it may spend what this one leaves
        self.kept = 0  # of what is left, for the cheapest answers to requests that are yet to come
        self._own = picos_of(cap.usd)
        self.usd = self._own + carried
        self.lease = lease
        self.most = self.usd if lease is None else min(self.usd, lease.limit)  # of spent and reserved together
        self.spent = 0
        self.reserved = 0
        self.overrun = 0
        self.spent_before(spent)

    @property
    def left(self) -> int:
        """What may still be reserved; negative where more is spent than the cap allows."""
        return self.most - self.spent - self.reserved

    @property
    def unspent(self) -> int:
        """The same of the whole cap, whoever may spend it; it is that of this process where nobody else does."""
        return self.usd - self.spent - self.reserved

    @property
    def free(self) -> int:
        """What of that is not kept for later requests."""
        return self.unspent - self.kept

    @property
    def bequest(self) -> int:
        """What the next window may spend of what is left: no more than one window's worth."""
        return min(max(self.unspent, 0), self._own)

    def spent_before(self, spent: int) -> None:
        """Adds what is on record as spent: what is above the cap by then has been overrun."""
        self.spent += spent
        self._overrun_to_here()

    def inherit(self, carried: int) -> None:
        """Takes over what the window before leaves, which its late bills still change."""
        self.usd = self._own + carried
        self._limit()
        self._overrun_to_here()

    def recap(self, cap: Cap) -> None:
        """Allows what another cap does from now on; what is carried stays within one of its windows' worth."""
        carried = self.usd - self._own if cap.carry else 0
        self.cap, self._own = cap, picos_of(cap.usd)
        self.kept = self.kept if cap.paced else 0
        self.inherit(min(carried, self._own))

    def hold(self, wanted: int) -> int:
        """Reserves that much, or what there is left; returns how much it is."""
        held = max(min(wanted, self.left), 0)
        self.reserved += held
        if self.lease is not None:
            self.lease.reserving(wanted, self.reserved)
        self._bequeath()
        return held

    def refuse(self, wanted: int) -> bool:
        """Whether it is for want of a lease that so much cannot be held, of which it takes note then."""
        if self.lease is None or not self.left < wanted <= self.unspent:
            return False
        self.lease.refuse(wanted)
        return True

    def settle(self, held: int, spent: int) -> int:
        """Turns what is held into what was spent; returns what was spent above it."""
        over = max(spent - held, 0)
        self.reserved -= held
        self.spent += spent
        self.overrun += over
        if self.lease is not None:
            self.lease.charge(spent)
        self._bequeath()
        return over

    def share(self) -> None:
        """Spends no more than a lease of it from now on, and none yet."""
        if self.lease is None:
            self.lease = Lease()
            self._limit()

    def ask(self, processes: int) -> Need:
        """What to ask for of a cap that so many processes share."""
        assert self.lease is not None, "asked of one that is shared"
        need = self.lease.ask(self.usd, self.spent, self.reserved, processes)
        self._limit()
        return need

    def granted(self, amount: int, spent: int) -> None:
        """Takes in what of it was granted, and what all have spent of it."""
        assert self.lease is not None, "asked of one that is shared"
        self.spent = self.lease.granted(amount, spent)
        self._limit()
        self._overrun_to_here()

    def lapse(self) -> None:
        """Gives nothing more of its lease out."""
        if self.lease is not None:
            self.lease.lapse()
            self._limit()

    def account(self) -> Account:
        """Where it stands."""
        elsewhere = min(self.usd - self.most, max(self.unspent, 0))
        amounts = (self.spent, self.reserved, self.overrun, self.usd - self._own, elsewhere)
        return Account(self.cap, self.window, self.ends_at, *(amount / PICOS for amount in amounts))

    def _overrun_to_here(self) -> None:
        self.overrun = max(self.overrun, -self.unspent)
        self._bequeath()

    def _limit(self) -> None:
        self.most = self.usd if self.lease is None else min(self.usd, self.lease.limit)

    def _bequeath(self) -> None:
        if self.heir is not None:
            self.heir.inherit(self.bequest)


class Books:
    """One cap's books: the current one, and what is on record for windows that are yet to be opened.

    An older book lives on in the reservations that hold dollars in it, and goes when the last of them is settled.
    """

    def __init__(self, cap: Cap, *, shared: bool = False) -> None:
        self.cap = cap
        self._shared = shared
        self._next: Book | None = None  # opened ahead of its window, so that there is a lease when that begins
        self._past: list[Book] = []  # whose windows are over and in which requests are under way
        self._current: Book | None = None
        self._before: Book | None = None  # the one that the current one inherits from
        self._on_record: dict[str, int] = {}

    def at(self, now: float) -> Book:
        """The book of the window that an instant falls in.

        A clock that is set back changes nothing: the books stay where they are, so nothing is given out twice.
        """
        book = self._current
        if book is None or now >= book.ends_at:
            book = self._open(period_at(self.cap.per, now))
        return book

    def named(self, name: str) -> Book | None:
        """The book of a window that is current, later or inherited from; None where it is over, or none of this cap."""
        book, before, period = self._current, self._before, period_named(self.cap.per, name)
        if before is not None and name == before.window.period:
            return before
        if period is None or (book is not None and name < book.window.period):
            return None
        return book if book is not None and name == book.window.period else self._open(period)

    def spent_before(self, name: str, spent: int) -> None:
        """Adds what is on record as spent in a window; one that is over matters only for what it leaves to the next."""
        book = self._current
        if book is not None and name == book.window.period:
            book.spent_before(spent)
        elif book is None or name > book.window.period:
            self._on_record[name] = self._on_record.get(name, 0) + spent
        elif self._before is not None and name == self._before.window.period:
            self._before.spent_before(spent)

    def recap(self, cap: Cap) -> None:
        """Goes on with another cap of the same window: what is spent and held stays, what is above is overrun."""
        self.cap = cap
        if self._before is not None and not cap.carry:
            self._before.heir = self._before = None
        for book in (self._current, self._next):
            if book is not None:
                book.recap(cap)

    def share(self) -> None:
        """Spends no more than leases from now on."""
        self._shared = True
        for book in (self._before, self._current):
            if book is not None:
                book.share()

    def leased(self, now: float, ahead_s: float) -> tuple[Book, ...]:
        """The books to ask leases for: of this window, of the next where that is near, of those under way before."""
        current = self.at(now)
        self._past = [book for book in self._past if book.reserved > 0 or book is self._before]
        if self._next is None and now + ahead_s >= current.ends_at:
            self._next = self._after(current, period_at(self.cap.per, current.ends_at))
        return (*self._past, current) if self._next is None else (*self._past, current, self._next)

    def opened(self, name: str) -> Book | None:
        """The book of a window that leases are asked for; None where there is none."""
        for book in (self._current, *self._past, self._next):
            if book is not None and book.window.period == name:
                return book
        return None

    def lapse(self) -> None:
        """Gives nothing more of the leases out."""
        for book in (*self._past, self._current, self._next):
            if book is not None:
                book.lapse()

    def _open(self, period: Period) -> Book:
        book, ahead = self._current, self._next
        self._next = None
        if book is not None and self._shared:
            self._past.append(book)
        if ahead is not None and ahead.window.period == period.name:
            self._current = ahead
            return ahead
        if self.cap.carry:
            for name in sorted(name for name in self._on_record if name < period.name):
                known = period_named(self.cap.per, name)
                book = book if known is None else self._after(book, known)
        self._current = self._after(book, period)
        self._on_record = {name: spent for name, spent in self._on_record.items() if name > period.name}
        return self._current

    def _after(self, before: Book | None, period: Period) -> Book:
        """The book of a window, with what the last one before it leaves; a window that nobody opened leaves itself."""
        spent = self._on_record.get(period.name, 0)
        if before is None or not self.cap.carry:
            return Book(self.cap, period, spent, lease=self._lease())
        if period_at(self.cap.per, before.ends_at) != period:
            before = Book(self.cap, period_at(self.cap.per, period.starts_at - 1.0), 0, lease=self._lease())
        book = before.heir = Book(self.cap, period, spent, before.bequest, self._lease())
        self._before = before
        return book

    def _lease(self) -> Lease | None:
        return Lease() if self._shared else None
