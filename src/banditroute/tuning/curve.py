"""A cost-quality curve with its uncertainty: what P budgets buy, request by request."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import isotonic_regression

Floats = NDArray[np.float64]

_STRETCH = 1.25
_BLOCK = 200  # resamples at a time: bounds the memory


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """What P budgets buy on n requests; more money never buys less but for chance.

    Attributes:
        budget_usd: (P,) dollars per request, rising.
        quality: (n, P) what each request got, or terms whose mean is what the policy gets.
        by_order: (S, P) mean quality of each stream order; (0, P) where nothing but the requests is left to chance.
    """

    budget_usd: Floats
    quality: Floats
    by_order: Floats

    @property
    def means(self) -> Floats:
        """(P,) mean quality at each budget, made to rise (isotonic regression; Barlow et al., 1972)."""
        return _rising(self.quality.mean(0))

    def slope(self) -> Floats:
        """(P,) quality points that one more dollar per request buys: over the stretch around each budget.

        Neighbours may be a few percent apart, where chance would speak louder than money.
        """
        budgets, means = self.budget_usd, self.means
        low, high = (np.clip(budgets * step, budgets[0], budgets[-1]) for step in (1.0 / _STRETCH, _STRETCH))
        gained = np.interp(high, budgets, means) - np.interp(low, budgets, means)
        return np.divide(gained, high - low, out=np.zeros_like(gained), where=high > low)

    def resampled(self, number: int, rng: np.random.Generator) -> Floats:
        """(B, P) the curve on B resamples of requests and of stream orders, each made to rise."""
        n, orders = self.quality.shape[0], self.by_order.shape[0]
        spread = self.by_order - self.by_order.mean(0) if orders else self.by_order
        drawn: list[Floats] = []
        for first in range(0, number, _BLOCK):
            size = min(_BLOCK, number - first)
            curves = rng.multinomial(n, np.full(n, 1.0 / n), size=size) @ self.quality / n
            if orders:
                curves = curves + rng.multinomial(orders, np.full(orders, 1.0 / orders), size=size) @ spread / orders
            drawn.append(np.array([_rising(curve) for curve in curves]))
        return np.concatenate(drawn)


def cheapest(budget_usd: Floats, quality: Floats, target: float) -> float:
    """The least budget at which a rising curve (P,) reaches a quality: between two points, by the log of dollars.

    0 where the cheapest point reaches it already, infinite where the dearest does not.
    """
    if quality[0] >= target:
        return 0.0
    if quality[-1] < target:
        return float("inf")
    above = int(np.searchsorted(quality, target))
    low, high = quality[above - 1], quality[above]
    share = (target - low) / (high - low)
    return float(np.exp((1.0 - share) * np.log(budget_usd[above - 1]) + share * np.log(budget_usd[above])))


def _rising(values: Floats) -> Floats:
    return np.asarray(isotonic_regression(values).x, dtype=np.float64)
