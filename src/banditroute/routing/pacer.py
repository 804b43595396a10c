"""One paced budget of a live router: its shadow price now, and how spending moves it."""

from __future__ import annotations

from collections import deque

import numpy as np
from numpy.typing import NDArray

from banditroute.errors import InputError
from banditroute.learning import pacing
from banditroute.learning.pacing import Pacing

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

_WINDOW = 256  # recent contexts kept for a re-solve of the price


class Pacer:
    """Paces spending to a mean of so many dollars per request; without a budget nothing costs anything.

    Args:
        budget_usd: dollars per request; None = unconstrained.
        settings: constants of the pacing.
        resolve_at: numbers of requests after which the price is solved anew from recent contexts.

    Raises:
        InputError: the budget is not a positive number.
    """

    def __init__(self, budget_usd: float | None, settings: Pacing, resolve_at: tuple[int, ...] = ()) -> None:
        if budget_usd is not None and not 0 < budget_usd < float("inf"):
            raise InputError(f"{budget_usd} is not a budget", remedy="give dollars per request", field="budget_usd")
        self._budget_usd = budget_usd
        self._settings = settings
        self._resolve_at = frozenset(resolve_at)
        self._paid = 0
        self._recent: deque[tuple[Floats, Floats]] = deque(maxlen=_WINDOW)
        self._pace = pacing.started((), settings)
        self._price = self._current_price()

    @property
    def shadow_price(self) -> float:
        """Quality points that one budget-worth of dollars must earn; 0 without a budget."""
        return self._price

    def share(self, cost_usd: Floats) -> Floats:
        """Dollars (K,) as shares of the budget per request; zeros without one."""
        return np.zeros_like(cost_usd) if self._budget_usd is None else cost_usd / self._budget_usd

    def remember(self, quality: Floats, cost_share: Floats, eligible: Bools) -> None:
        """Keeps a context's forecasts (K,), so that the price can be solved anew from the most recent ones."""
        if self._budget_usd is not None:
            self._recent.append((np.where(eligible, quality, -np.inf), cost_share))

    def spend(self, cost_usd: float) -> None:
        """Takes in what one request cost.

        Raises:
            InputError: the cost is negative or not finite.
        """
        if not 0 <= cost_usd < float("inf"):
            raise InputError(f"{cost_usd} is not a cost in dollars", field="cost_usd")
        if self._budget_usd is None:
            return
        self._pace = pacing.stepped(self._pace, np.asarray(cost_usd / self._budget_usd), self._settings)
        self._paid += 1
        if self._paid in self._resolve_at and self._recent:
            quality, share = (np.stack(part) for part in zip(*self._recent, strict=True))
            self._pace = pacing.resolved(self._pace, quality, share, self._settings)
        self._price = self._current_price()

    def _current_price(self) -> float:
        return 0.0 if self._budget_usd is None else float(pacing.shadow_price(self._pace, self._settings))
