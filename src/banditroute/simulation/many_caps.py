"""The books of caps in many worlds side by side: `routing.accounts.Book` on arrays, to play more than one can.

Whole numbers of 1e-12 dollars. Each cap has the books of two windows, the current one and the one before, in which
calls that are still under way are billed. A test holds this against the live `Ledger`, step by step.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

_PLENTY = np.iinfo(np.int64).max // 4


class Held(NamedTuple):
    """What one request of each of R worlds holds in C caps.

    Attributes:
        made: (R,) whether there is a reservation.
        covers: (R, C) the caps that it is charged to; none where there is no reservation.
        amount: (R, C) what it holds there.
        window: (R, C) in which of a cap's two books.
    """

    made: Bools
    covers: Bools
    amount: Ints
    window: Ints


class ManyCaps:
    """C caps in each of R worlds.

    Args:
        usd: (C,) what a window of each allows, in 1e-12 dollars.
        worlds: R.
    """

    def __init__(self, usd: Ints, worlds: int) -> None:
        self.usd = usd
        self.spent, self.reserved, self.overrun = (np.zeros((2, worlds, usd.size), np.int64) for _ in range(3))
        self.current = np.zeros(usd.size, np.int64)
        self._caps = np.arange(usd.size)

    def left(self) -> Ints:
        """What the current windows may still hold (R, C)."""
        now = self.current, slice(None), self._caps
        return self.usd - (self.spent[now] + self.reserved[now]).T

    def reserve(self, wanted: Ints, covers: Bools, force: Bools) -> Held:
        """Holds what requests want (R,) in all caps that cover them (R, C), where it fits or is forced (R,)."""
        left = self.left()
        fits = wanted <= np.maximum(np.where(covers, left, _PLENTY).min(1), 0)
        made = fits | force
        covers = covers & made[:, None]
        amount = np.where(covers, np.maximum(np.minimum(wanted[:, None], left), 0), 0)
        self.reserved[self.current, :, self._caps] += amount.T
        return Held(made, covers, amount, np.tile(self.current, (wanted.size, 1)))

    def settle(self, held: Held, spent: Ints, which: Bools) -> Ints:
        """Turns what is held into what was spent (R,), in the worlds named (R,); returns what was spent above it."""
        covers = held.covers & which[:, None]
        over = np.where(covers, np.maximum(spent[:, None] - held.amount, 0), 0)
        for book in (0, 1):
            here = covers & (held.window == book)
            self.reserved[book] -= here * held.amount
            self.spent[book] += here * spent[:, None]
            self.overrun[book] += here * over
        return over.max(1)

    def let_go(self, held: Held, which: Bools) -> Held:
        """Holds nothing any more in the worlds named, as when time is up; what is spent in the end is charged still."""
        self.settle(held, np.zeros_like(held.amount[:, 0]), which)
        return held._replace(amount=np.where(which[:, None], 0, held.amount))

    def turn(self, cap: int) -> None:
        """Begins a cap's next window; nothing may be held any more in the one before the last."""
        book = self.current[cap] = 1 - self.current[cap]
        for amounts in (self.spent, self.reserved, self.overrun):
            amounts[book, :, cap] = 0

    def broken(self) -> int:
        """In how many books more is spent and reserved than the cap and what was overrun."""
        return int((self.spent + self.reserved > self.usd + self.overrun).sum())
