"""The chance that a call takes longer than a limit: by its log-normal forecast, set right by what was seen of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from .pacing import Pacing

Floats = NDArray[np.float64]

_MEMORY = 200.0  # calls that a calibration remembers
_WEIGHT = 1.0  # late calls that the forecast is worth
_BUCKET_MISSES = 12.0  # late answers that a full bucket holds
_MOST_DEBT = 0.5  # buckets: where the shortfall bends the price no further
_LEAST_PRICE = 0.005  # quality points for one epsilon of lateness, however long nothing was late


class Calibration(NamedTuple):
    """Late calls of one model: how many were expected and how many were seen, older ones fading."""

    expected: float
    seen: float

    def after(self, chance: float, *, was_late: bool) -> Calibration:
        """The same after one more call that was late with that chance."""
        keep = 1.0 - 1.0 / _MEMORY
        return Calibration(keep * self.expected + chance, keep * self.seen + was_late)

    @property
    def factor(self) -> float:
        """What the odds of being late are to be multiplied by; 1 = the forecast is as good as its word."""
        return (self.seen + _WEIGHT) / (self.expected + _WEIGHT)


def late(limit_s: float, log_mean: Floats, log_var: Floats) -> Floats:
    """P(seconds > limit) where their log is N(log_mean, log_var)."""
    return ndtr((log_mean - np.log(limit_s)) / np.sqrt(log_var))


def calibrated(p: Floats, calibrations: Sequence[Calibration]) -> Floats:
    """The chances p (K,), each one's odds multiplied by its model's factor."""
    odds = p * np.array([each.factor for each in calibrations])
    return odds / (1.0 - p + odds)


def pacing_for(epsilon: float) -> Pacing:
    """Constants for pacing a rare event of that allowed share.

    One late answer weighs 1/epsilon budgets, so that a bucket made for dollars would be empty after a few. It holds a
    number of late answers instead, and the running share is taken over as many requests as a few of them need. What a
    burst overdrew is forgiven where it can raise the price no further: nobody who waited then is served better now. The
    price never falls to nothing: a burst makes every model late before the first late answer of it is there, and the
    calls under way can raise a price of nothing to nothing only. (With no such floor a load step of judged9_val is late
    in 19% of its requests; with it in 5%, at more quality.)
    """
    memory = min(max(epsilon, 0.005), 0.05)
    return Pacing(
        memory=memory, bucket_requests=_BUCKET_MISSES / epsilon, least_price=_LEAST_PRICE, most_debt=_MOST_DEBT
    )
