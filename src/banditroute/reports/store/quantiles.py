"""Quantiles of what streams by, from counts in fixed bins of the logarithm: within 1%, in bounded memory."""

from __future__ import annotations

import math
from collections import Counter

_STEP = math.log(1.02)
_LEAST = 1e-4
_MOST = 1e6


class Quantiles:
    """Counts of positive numbers, most of them far apart in size; those out of range count as its ends."""

    def __init__(self) -> None:
        self._counts: Counter[int] = Counter()

    def add(self, value: float) -> None:
        """Takes a number in."""
        self._counts[math.floor(math.log(min(max(value, _LEAST), _MOST)) / _STEP)] += 1

    def at(self, share: float) -> float:
        """The number that this share of all stay below; nan where there are none."""
        wanted, seen = share * self._counts.total(), 0
        for place in sorted(self._counts):
            seen += self._counts[place]
            if seen >= wanted:
                return math.exp((place + 0.5) * _STEP)
        return math.nan
