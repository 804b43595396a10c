"""Confidence sequences: intervals that hold at every look at once, so that looking every day is honest.

Someone who bets against "the mean is m", never more than he has, and on what he knows beforehand, multiplies his money
by more than 1/alpha with probability at most alpha if m is true (Ville, 1939). The means at which no bet ever did form
the sequence. Weighted rewards w r >= 0 have no useful upper bound, so both ends are lower ones: of w r, and of
w (1 - r). References: Waudby-Smith and Ramdas (2024), sec. 4.3, for the bets; Waudby-Smith, Wu, Ramdas, Karampatziakis
and Mineiro (2024), sec. 2.2, for logged decisions.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_MOST_STAKE = 0.75  # of what he has
_HALVINGS = 40


def lower_bound(x: Floats, least: float, most: float, alpha: float, at_least: float) -> float:
    """The mean of x (n,) is above this, at every n at once, with probability 1 - alpha.

    Args:
        x: in the order of time; the mean of each given what came before is the same, or else it is of their average.
        least: no x is below it.
        most: the mean is not above it.
        alpha: chance of being wrong, ever.
        at_least: the mean is not below it, whatever is seen.
    """
    bets = _bets(x, alpha)
    low, high = at_least, most
    if not _ever_rich(x, bets, least, low, alpha):
        return low
    for _ in range(_HALVINGS):  # wealth falls as m rises
        middle = 0.5 * (low + high)
        low, high = (middle, high) if _ever_rich(x, bets, least, middle, alpha) else (low, middle)
    return low


def _bets(x: Floats, alpha: float) -> Floats:
    """(n,) stakes per unit of surprise, each from the past alone: best for a spread like the one seen so far."""
    n = np.arange(1, x.size + 1)
    mean = (np.cumsum(x) + 0.5) / (n + 1.0)
    spread = (np.cumsum((x - mean) ** 2) + 0.25) / (n + 1.0)
    before = np.r_[0.25, spread[:-1]]
    return np.sqrt(2.0 * math.log(1.0 / alpha) / (before * n * np.log1p(n)))


def _ever_rich(x: Floats, bets: Floats, least: float, mean: float, alpha: float) -> bool:
    """Whether betting against that mean ever multiplied the money by 1/alpha."""
    room = mean - least
    stake = np.minimum(bets, _MOST_STAKE / room) if room > 0 else bets
    wealth = np.cumsum(np.log1p(stake * (x - mean)))
    return bool(wealth.max(initial=0.0) >= math.log(1.0 / alpha))
