"""Keeps the spending of a run below a limit, the worst case of what is under way included."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from decimal import Decimal

from banditroute.errors import BanditrouteError


class SpentError(BanditrouteError):
    """The limit has no room for another call, and nothing is under way that could leave some."""


class Purse:
    """Dollars that may be spent; who has to wait for room is served in turn, so that nobody is passed over for ever.

    Args:
        most_usd: what may be spent in all; None = whatever it takes.
        spent_usd: what is spent already.
    """

    def __init__(self, most_usd: float | None = None, spent_usd: float = 0.0) -> None:
        self._most_usd = math.inf if most_usd is None else most_usd
        self.spent_usd = spent_usd
        self._held_usd = 0.0
        self._holders = 0
        self._line = asyncio.Lock()
        self._changed = asyncio.Event()

    @asynccontextmanager
    async def hold(self, usd: float) -> AsyncGenerator[None]:
        """Holds what a call may cost while it is under way; without a limit that is of no interest.

        Raises:
            SpentError: there is no room, and there will be none.
        """
        usd = usd if math.isfinite(self._most_usd) else 0.0
        async with self._line:
            while not self.has_room(usd):
                if not self._holders:
                    needed = f"the next call may cost {_exact(usd)}, {_exact(self.left_usd)} are left"
                    raise SpentError(f"the limit of dollars is reached: {needed}; raise it to go on")
                self._changed.clear()
                await self._changed.wait()
            self._holders += 1
            self._held_usd += usd
        try:
            yield
        finally:
            self._holders -= 1
            self._held_usd = self._held_usd - usd if self._holders else 0.0  # no rounding stays behind
            self._changed.set()

    def has_room(self, usd: float = 0.0) -> bool:
        """Whether so much may be held beside all that is."""
        return self.spent_usd + self._held_usd + usd <= self._most_usd

    def pay(self, usd: float) -> None:
        """Takes note of dollars that were spent."""
        self.spent_usd += usd

    @property
    def left_usd(self) -> float:
        """Dollars that are not spent yet; infinite without a limit."""
        return max(self._most_usd - self.spent_usd, 0.0)


def _exact(usd: float) -> str:
    """Dollars with as many digits as tell the one sum from the other, and no exponent."""
    return f"${Decimal(f'{usd:.6g}'):f}"
