"""95% intervals that stay honest with few figures, and where all of them are the same."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from banditroute.benching.results import Estimate

Floats = NDArray[np.float64]

_LEVEL = 0.95
_Z2 = float(stats.norm.ppf(0.5 + _LEVEL / 2)) ** 2


def bounded_mean(values: Floats, low: float, high: float) -> Estimate | None:
    """The mean of values that lie between two bounds; None where there are none.

    Half of z^2 imaginary values stand at each bound beside the real ones, as Agresti and Coull (1998) add them to
    proportions: twenty right answers of twenty do not make a perfect model.
    """
    n = len(values)
    if n == 0:
        return None
    span = high - low
    scaled = (values - low) / span
    total = n + _Z2
    center = (scaled.sum() + _Z2 / 2) / total
    spread = (np.square(scaled).sum() + _Z2 / 2) / total - center**2
    half = math.sqrt(_Z2 * max(spread, 0.0) / total)
    mean = float(values.mean())
    lower, upper = low + span * max(center - half, 0.0), low + span * min(center + half, 1.0)
    return Estimate(mean, min(float(lower), mean), max(float(upper), mean))


def mean(values: Floats, least: float = -math.inf) -> Estimate | None:
    """The mean by Student's t, not below what is possible; of one value the interval is unknown, of none all is."""
    n = len(values)
    if n == 0:
        return None
    value = float(values.mean())
    if n == 1:
        return Estimate(value, math.nan, math.nan)
    half = float(stats.t.ppf(0.5 + _LEVEL / 2, n - 1) * values.std(ddof=1) / math.sqrt(n))
    return Estimate(value, max(value - half, least), value + half)


def quantile(values: Floats, share: float) -> Estimate | None:
    """The quantile, between two order statistics that hold whatever the distribution (David and Nagaraja, 2003, 7.1).

    An end is nan where so few values tell nothing of it.
    """
    n = len(values)
    if n == 0:
        return None
    ordered = np.sort(values)
    tail = (1 - _LEVEL) / 2
    below, above = int(stats.binom.ppf(tail, n, share)), int(stats.binom.ppf(1 - tail, n, share)) + 1
    low = float(ordered[below - 1]) if below >= 1 else math.nan
    high = float(ordered[above - 1]) if above <= n else math.nan
    return Estimate(float(np.quantile(values, share)), low, high)
