"""The probability that one of two or three normal scores is the largest, without an integral.

The differences to the others are normal themselves: one for two arms, a pair for three, whose joint distribution
function Owen's T gives (Owen, 1956, eq. 3.1). Numbers, not arrays: at this size calls cost more than arithmetic.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.special import owens_t

Floats = NDArray[np.float64]

_SQRT2 = math.sqrt(2.0)


NARROWEST = 1e-6  # of the widest arm: a certain arm is treated as this narrow
CERTAIN = 1e-9  # of the best mean: narrower than this, rounding would swamp the widths


def few_arms(mean: Sequence[float], sd: Sequence[float], eligible: Sequence[bool] | None = None) -> Floats:
    """Probability (K,), K at most 3, that each arm's score N(mean, sd^2) is the largest, over the eligible ones.

    Raises:
        ValueError: no arm is eligible.
    """
    if eligible is None or all(eligible):
        return np.array(_probabilities(mean, sd))
    arms = [arm for arm, may in enumerate(eligible) if may]
    if not arms:
        raise ValueError("no arm is eligible")
    p = np.zeros(len(mean))
    p[arms] = _probabilities([mean[arm] for arm in arms], [sd[arm] for arm in arms])
    return p


def _probabilities(mean: Sequence[float], sd: Sequence[float]) -> list[float]:
    widest, best = max(sd), max(mean)
    certain = CERTAIN * abs(best)
    if widest <= certain:  # nothing left to chance: ties share
        ties = sum(each == best for each in mean)
        return [1.0 / ties if each == best else 0.0 for each in mean]
    width = [max(each, widest * NARROWEST, certain) for each in sd]
    if len(mean) == 1:
        return [1.0]
    if len(mean) == 2:
        first = _below((mean[0] - mean[1]) / math.hypot(*width))
        return [first, 1.0 - first]
    p = [max(_best_of_three(mean, width, arm), 0.0) for arm in range(3)]
    total = sum(p)
    return [each / total for each in p]


def _best_of_three(mean: Sequence[float], sd: Sequence[float], arm: int) -> float:
    other, third = (arm + 1) % 3, (arm + 2) % 3
    to_other, to_third = math.hypot(sd[arm], sd[other]), math.hypot(sd[arm], sd[third])
    h, k = (mean[arm] - mean[other]) / to_other, (mean[arm] - mean[third]) / to_third
    scale = to_other * to_third
    correlation = sd[arm] * sd[arm] / scale
    # sqrt(1 - correlation^2), with no difference of like numbers to lose digits in
    rest = math.hypot(sd[arm] * math.hypot(sd[other], sd[third]), sd[other] * sd[third]) / scale
    return _both_below(h, k, correlation, rest)


def _both_below(h: float, k: float, correlation: float, rest: float) -> float:
    """P(X < h, Y < k) of two standard normals of that correlation; rest is the root of 1 - correlation^2."""
    if h == 0.0 and k == 0.0:
        return 0.25 + math.asin(min(correlation, 1.0)) / (2.0 * math.pi)
    opposite = (h < 0.0) != (k < 0.0)  # not by their product, which two tiny numbers lose
    halves = 0.5 * (_below(h) + _below(k)) - (0.5 if opposite else 0.0)
    return halves - _owen(h, k - correlation * h, rest) - _owen(k, h - correlation * k, rest)


def _owen(h: float, numerator: float, rest: float) -> float:
    """Owen's T(h, numerator / (h rest))."""
    slope = math.copysign(math.inf, numerator) if h == 0.0 else numerator / (h * rest)
    return float(owens_t(h, slope))


def _below(z: float) -> float:
    return 0.5 * math.erfc(-z / _SQRT2)
