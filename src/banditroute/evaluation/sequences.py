"""Confidence sequences: intervals that hold at every look at once, so that looking every day is honest.

Someone who stakes a fixed share on every surprise multiplies his money by more than 1/alpha with probability at most
alpha, ever (Ville, 1939); so does one who spreads it over several shares. How much surprise that allows, given the
spread seen so far, bounds the mean. Because no share changes on the way, it is the *average* of the means so far that
is bounded, which a learning policy moves as it goes; bets that adapt would bound only the largest of them, and for the
same reason a later interval need not lie within an earlier one.

Weighted rewards w r >= 0 have no useful upper bound, so both ends are lower ones: of w r, and of w (1 - r).
References: Fan, Grama and Liu (2015), lemma 4.1, for the supermartingale; Howard, Ramdas, McAuliffe and Sekhon (2021),
sec. 3.3, for mixing; Waudby-Smith, Wu, Ramdas, Karampatziakis and Mineiro (2024), sec. 3, for logged decisions.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_SHARES = np.geomspace(0.002, 0.9, 20)  # best for 50 to 2,000,000 decisions of spread 1
_PRICES = -np.log1p(-_SHARES) - _SHARES
_HALVINGS = 50


def lower_bound(x: Floats, least: float, most: float, alpha: float, at_least: float) -> float:
    """The average of the means of x (n,), each given what came before, is above this: at every n, with 1 - alpha.

    Args:
        x: in the order of time.
        least: no x is below it.
        most: no mean is above it.
        alpha: chance of being wrong, ever.
        at_least: no mean is below it, whatever is seen.
    """
    reach = most - least
    total, spread = float(x.sum()) / reach, _spread(x, at_least, most) / reach**2

    def is_refuted(mean: float) -> bool:
        wealth = _SHARES * (total - x.size * mean / reach) - _PRICES * spread
        return float(np.logaddexp.reduce(wealth)) - math.log(wealth.size) >= -math.log(alpha)

    low, high = at_least, most
    if not is_refuted(low):
        return low
    for _ in range(_HALVINGS):  # wealth falls as the mean rises
        middle = 0.5 * (low + high)
        low, high = (middle, high) if is_refuted(middle) else (low, middle)
    return low


def _spread(x: Floats, at_least: float, most: float) -> float:
    """Sum of squared surprises: how far each x was from the average of those before it."""
    before = np.cumsum(x) - x + 0.5 * (at_least + most)
    forecast = np.clip(before / np.arange(1, x.size + 1), at_least, most)
    return float(((x - forecast) ** 2).sum())
