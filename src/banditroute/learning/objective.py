"""The objective: quality minus priced cost minus priced latency, all in quality points."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_MOST_VARIANCE = 2.0  # of a log amount: beyond this the mean of a log-normal is guesswork


def expected_amount(log_mean: Floats, log_var: Floats) -> Floats:
    """Mean of an amount whose log is N(log_mean, log_var): exp(m + v/2), v capped lest ignorance explode."""
    return np.exp(np.minimum(log_mean, 50.0) + 0.5 * np.minimum(log_var, _MOST_VARIANCE))


def utility(
    quality: Floats,
    cost_share: Floats | None = None,
    price: float | Floats = 0.0,
    latency_s: Floats | None = None,
    quality_per_s: float = 0.0,
) -> Floats:
    """Utility (..., K) in quality points.

    Args:
        quality: (..., K) expected quality.
        cost_share: (..., K) expected dollars over the budget per request; linear, never its log: a model 500 times
            dearer must look 500 times dearer.
        price: shadow price of one budget-worth of dollars, quality points; broadcasts against (..., K).
        latency_s: (..., K) expected seconds.
        quality_per_s: what one second is worth.
    """
    value = quality if cost_share is None else quality - price * cost_share
    return value if latency_s is None or quality_per_s == 0.0 else value - quality_per_s * latency_s
