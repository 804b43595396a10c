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
    """

    cap: Cap
    window: Window
    ends_at: float
    spent_usd: float
    reserved_usd: float
    overrun_usd: float

    @property
    def left_usd(self) -> float:
        """Dollars that may still be reserved, never below 0."""
        return max(self.cap.usd - self.spent_usd - self.reserved_usd, 0.0)

    def exceeded(self, now: float) -> BudgetExceededError:
        """The error for a request that the cap turns down."""
        return BudgetExceededError(
            self.cap.name,
            cap_usd=self.cap.usd,
            spent_usd=self.spent_usd,
            reserved_usd=self.reserved_usd,
            retry_after_s=max(self.ends_at - now, 0.0),
        )


class Book:
    """One window of one cap, in 1e-12 dollars: spent + reserved <= usd + overrun, always."""

    __slots__ = ("cap", "ends_at", "overrun", "reserved", "spent", "usd", "window")

    def __init__(self, cap: Cap, period: Period, spent: int) -> None:
        self.cap = cap
        self.window = Window(cap.name, period.name)
        self.ends_at = period.ends_at
        self.usd = picos_of(cap.usd)
        self.spent = 0
        self.reserved = 0
        self.overrun = 0
        self.spent_before(spent)

    @property
    def left(self) -> int:
        """What may still be reserved; negative where more is spent than the cap allows."""
        return self.usd - self.spent - self.reserved

    def spent_before(self, spent: int) -> None:
        """Adds what is on record as spent: what is above the cap by then has been overrun."""
        self.spent += spent
        self.overrun = max(self.overrun, -self.left)

    def hold(self, wanted: int) -> int:
        """Reserves that much, or what there is left; returns how much it is."""
        held = max(min(wanted, self.left), 0)
        self.reserved += held
        return held

    def settle(self, held: int, spent: int) -> int:
        """Turns what is held into what was spent; returns what was spent above it."""
        over = max(spent - held, 0)
        self.reserved -= held
        self.spent += spent
        self.overrun += over
        return over

    def account(self) -> Account:
        """Where it stands."""
        amounts = (self.spent / PICOS, self.reserved / PICOS, self.overrun / PICOS)
        return Account(self.cap, self.window, self.ends_at, *amounts)


class Books:
    """One cap's books: the current one, and what is on record for windows that are yet to be opened.

    An older book lives on in the reservations that hold dollars in it, and goes when the last of them is settled.
    """

    def __init__(self, cap: Cap) -> None:
        self.cap = cap
        self._current: Book | None = None
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
        """The book of a window that is current or later; None where it is over, or no window of this cap."""
        book, period = self._current, period_named(self.cap.per, name)
        if period is None or (book is not None and name < book.window.period):
            return None
        return book if book is not None and name == book.window.period else self._open(period)

    def spent_before(self, name: str, spent: int) -> None:
        """Adds what is on record as spent in a window; one that is over matters no more."""
        book = self._current
        if book is not None and name == book.window.period:
            book.spent_before(spent)
        elif book is None or name > book.window.period:
            self._on_record[name] = self._on_record.get(name, 0) + spent

    def _open(self, period: Period) -> Book:
        self._current = Book(self.cap, period, self._on_record.get(period.name, 0))
        self._on_record = {name: spent for name, spent in self._on_record.items() if name > period.name}
        return self._current
