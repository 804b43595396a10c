"""Bootstrap intervals: decisions resampled with replacement, all estimators by the same resamples (Efron, 1979).

Where every matched outcome is a 1, all resamples agree and the interval would have no width. So resamples of a signal
with known ends also hold, now and then, half a success and half a failure of typical weight: Jeffreys' prior (1946).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .estimators import Terms
from .results import Interval

Floats = NDArray[np.float64]

_BLOCKS = 4000
"""Above so many rows, neighbours in the log are resampled together: as good, and the time stays bounded."""

_PRIOR = 0.5  # of an outcome at each end


class Resamples(NamedTuple):
    """How often each of m blocks of consecutive decisions stands in each of B resamples.

    Attributes:
        counts: (B, m).
        starts: (m,) the first row of each block.
        ends: (B, 2) how often an outcome at the lower and at the upper end does.
    """

    counts: Floats
    starts: NDArray[np.int64]
    ends: Floats

    def sums(self, values: Floats) -> Floats:
        """(B,) sums of values (n,) over each resample."""
        return self.counts @ np.add.reduceat(values, self.starts)


def resamples(rows: int, number: int, rng: np.random.Generator) -> Resamples:
    """B resamples of so many rows, in blocks of equal length where there are many."""
    blocks = min(rows, _BLOCKS)
    starts = np.linspace(0, rows, blocks, endpoint=False).astype(np.int64)
    counts = rng.multinomial(blocks, np.full(blocks, 1.0 / blocks), size=number)
    ends = rng.poisson(_PRIOR, size=(number, 2))
    return Resamples(counts.astype(np.float64), starts, ends.astype(np.float64))


def replicates(terms: Terms, drawn: Resamples, *, bounded: bool) -> Floats:
    """(B,) the estimate on each resample, nan where it matches nothing; bounded: the signal's ends are 0 and 1."""
    numerator, denominator = drawn.sums(terms.numerator), drawn.sums(terms.denominator)
    if bounded and terms.weight.any():
        at_ends = _at_ends(terms)
        numerator += drawn.ends @ at_ends[0]
        denominator += drawn.ends @ at_ends[1]
    return np.divide(numerator, denominator, out=np.full(numerator.size, np.nan), where=denominator > 0)


def percentile(values: Floats, level: float = 0.95) -> Interval:
    """The middle of the replicates; (nan, nan) where there are none."""
    known = values[np.isfinite(values)]
    if known.size == 0:
        return Interval(float("nan"), float("nan"))
    tail = 50.0 * (1.0 - level)
    low, high = np.percentile(known, [tail, 100.0 - tail])
    return Interval(float(low), float(high))


def _at_ends(terms: Terms) -> tuple[Floats, Floats]:
    """Numerator and denominator (2,) of a decision of typical weight whose outcome is 0, and of one whose is 1."""
    weight = float((terms.weight**2).sum() / terms.weight.sum())
    outcome = np.array([0.0, 1.0])
    if terms.denominator is terms.weight:
        return weight * outcome, np.full(2, weight)
    return terms.estimate + weight * (outcome - terms.estimate), np.ones(2)
