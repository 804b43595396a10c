"""One cap's account: what is spent and reserved in its current window, and how it passes to the next."""

from __future__ import annotations

from dataclasses import dataclass

from banditroute.errors import BudgetExceededError, InputError

from .budgets import Cap, Window
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
    """

    cap: Cap
    window: Window
    ends_at: float
    spent_usd: float
    reserved_usd: float
    overrun_usd: float
    carried_usd: float = 0.0

    @property
    def usd(self) -> float:
        """Dollars that the window allows in all."""
        return self.cap.usd + self.carried_usd

    @property
    def left_usd(self) -> float:
        """Dollars that may still be reserved, never below 0."""
        return max(self.usd - self.spent_usd - self.reserved_usd, 0.0)

    def exceeded(self, now: float) -> BudgetExceededError:
        """The error for a request that the cap turns down."""
        return BudgetExceededError(
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
    """

    __slots__ = ("_own", "cap", "ends_at", "heir", "kept", "overrun", "reserved", "spent", "usd", "window")

    def __init__(self, cap: Cap, period: Period, spent: int, carried: int = 0) -> None:
        self.cap = cap
        self.window = Window(cap.name, period.name)
        self.ends_at = period.ends_at
        self.heir: Book | None = None  # the next window's, where it may spend what this one leaves
        self.kept = 0  # of what is left, for the cheapest answers to requests that are yet to come
        self._own = picos_of(cap.usd)
        self.usd = self._own + carried
        self.spent = 0
        self.reserved = 0
        self.overrun = 0
        self.spent_before(spent)

    @property
    def left(self) -> int:
        """What may still be reserved; negative where more is spent than the cap allows."""
        return self.usd - self.spent - self.reserved

    @property
    def free(self) -> int:
        """What of that is not kept for later requests."""
        return self.left - self.kept

    @property
    def bequest(self) -> int:
        """What the next window may spend of what is left: no more than one window's worth."""
        return min(max(self.left, 0), self._own)

    def spent_before(self, spent: int) -> None:
        """Adds what is on record as spent: what is above the cap by then has been overrun."""
        self.spent += spent
        self._overrun_to_here()

    def inherit(self, carried: int) -> None:
        """Takes over what the window before leaves, which its late bills still change."""
        self.usd = self._own + carried
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
        self._bequeath()
        return held

    def settle(self, held: int, spent: int) -> int:
        """Turns what is held into what was spent; returns what was spent above it."""
        over = max(spent - held, 0)
        self.reserved -= held
        self.spent += spent
        self.overrun += over
        self._bequeath()
        return over

    def account(self) -> Account:
        """Where it stands."""
        amounts = (self.spent, self.reserved, self.overrun, self.usd - self._own)
        return Account(self.cap, self.window, self.ends_at, *(amount / PICOS for amount in amounts))

    def _overrun_to_here(self) -> None:
        self.overrun = max(self.overrun, -self.left)
        self._bequeath()

    def _bequeath(self) -> None:
        if self.heir is not None:
            self.heir.inherit(self.bequest)


class Books:
    """One cap's books: the current one, and what is on record for windows that are yet to be opened.

    An older book lives on in the reservations that hold dollars in it, and goes when the last of them is settled.
    """

    def __init__(self, cap: Cap) -> None:
        self.cap = cap
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
        if self._current is not None:
            self._current.recap(cap)

    def _open(self, period: Period) -> Book:
        book = self._current
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
            return Book(self.cap, period, spent)
        if period_at(self.cap.per, before.ends_at) != period:
            before = Book(self.cap, period_at(self.cap.per, period.starts_at - 1.0), 0)
        book = before.heir = Book(self.cap, period, spent, before.bequest)
        self._before = before
        return book
