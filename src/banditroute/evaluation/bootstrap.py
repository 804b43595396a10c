"""Bootstrap intervals of quality: decisions resampled with replacement, all estimators by the same (Efron, 1979).

Where every matched outcome is a 1, all resamples agree and the interval would have no width. So resamples of a signal
with known ends also hold half a success and half a failure of typical weight, more or less of them by chance: Jeffreys'
prior; and a whole one of the end that was never seen where all outcomes are at the other, which makes the interval
there the exact binomial one (Brown, Cai and DasGupta, 2001, sec. 4.1.1).
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
        ends: (B, 3) how much of an outcome at the lower and at the upper end does, and how much more of one never seen.
    """

    counts: Floats
    starts: NDArray[np.int64]
    ends: Floats

    def sums(self, *columns: Floats) -> Floats:
        """(B, c) sums of c columns (n,) over each resample, in one pass: reading the counts is what takes time."""
        return self.counts @ np.add.reduceat(np.stack(columns, axis=1), self.starts)

    def at_ends(self, outcomes: Floats) -> Floats:
        """(B, 2) how much of an outcome at 0 and of one at 1 joins each resample of these."""
        never_seen = np.array([(outcomes == 1.0).all(), (outcomes == 0.0).all()])
        return self.ends[:, :2] + self.ends[:, 2:] * never_seen


def resamples(rows: int, number: int, rng: np.random.Generator) -> Resamples:
    """B resamples of so many rows, in blocks of equal length where there are many."""
    blocks = min(rows, _BLOCKS)
    starts = np.linspace(0, rows, blocks, endpoint=False).astype(np.int64)
    counts = rng.multinomial(blocks, np.full(blocks, 1.0 / blocks), size=number)
    return Resamples(counts.astype(np.float64), starts, rng.gamma(_PRIOR, size=(number, 3)))


def replicates(terms: Terms, drawn: Resamples, ends: Floats | None = None) -> Floats:
    """(B,) the estimate on each resample, nan where it matches nothing; ends (B, 2) join outcomes that have ends."""
    numerator, denominator = drawn.sums(terms.numerator, terms.denominator).T
    if ends is not None and terms.weight.any():
        at_ends = _at_ends(terms)
        numerator += ends @ at_ends[0]
        denominator += ends @ at_ends[1]
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
    if np.array_equal(terms.denominator, terms.weight):
        return weight * outcome, np.full(2, weight)
    return terms.estimate + weight * (outcome - terms.estimate), np.ones(2)
