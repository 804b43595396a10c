"""Off-policy estimators, each as terms per decision: the estimate is the ratio of their sums.

One shape for all of them, so that resampling decisions gives every estimator its interval in the same way.
References: Horvitz and Thompson (1952) for ips; Swaminathan and Joachims (2015), eq. 6, for snips; Dudik, Erhan,
Langford and Li (2014), eqs. 2-4, for dm and dr; Wang, Agarwal and Dudik (2017), eq. 6 and sec. 3.2, for switch-dr.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_THRESHOLDS = 25


class Sample(NamedTuple):
    """What an estimator sees of one signal: n decisions, K models.

    Attributes:
        weight: (n,) importance weights.
        reward: (n,) the signal, of whatever the chosen model led to.
        chosen: (n,) models drawn.
        target: (n, K) the target's probabilities.
        model: (n, K) the outcome model's expectation of the signal, fitted without the row itself.
    """

    weight: Floats
    reward: Floats
    chosen: Ints
    target: Floats
    model: Floats


class Terms(NamedTuple):
    """An estimator's terms: the estimate is numerator.sum() / denominator.sum().

    Attributes:
        numerator: (n,); denominator: (n,).
        weight: (n,) how much each outcome counts in it; zeros where outcomes speak through a model alone.
    """

    numerator: Floats
    denominator: Floats
    weight: Floats

    @property
    def estimate(self) -> float:
        """The estimate; nan where no decision matches the target's."""
        total = float(self.denominator.sum())
        return float(self.numerator.sum()) / total if total > 0 else float("nan")

    def weighed(self, stands_for: Floats) -> Terms:
        """The same where each decision stands for so many (n,)."""
        return Terms(*(column * stands_for for column in self))


def ips(sample: Sample) -> Terms:
    """Inverse propensity scoring: unbiased wherever the log could have drawn what the target would."""
    return Terms(sample.weight * sample.reward, np.ones_like(sample.weight), sample.weight)


def snips(sample: Sample) -> Terms:
    """Self-normalised: stays within the range of what was seen; a bias that dies out faster than the error."""
    return Terms(sample.weight * sample.reward, sample.weight, sample.weight)


def dm(sample: Sample) -> Terms:
    """Direct method: what the outcome model expects of the target; as biased as the model is."""
    return _corrected(sample, np.zeros_like(sample.weight))


def dr(sample: Sample) -> Terms:
    """Doubly robust: the direct method, put right by the weighted errors of the outcome model; unbiased like ips."""
    return _corrected(sample, sample.weight)


def switch_dr(sample: Sample) -> Terms:
    """Doubly robust where weights are moderate, the direct method beyond: a little bias for much less variance."""
    return switch_dr_at(sample, switch_threshold(sample))


def switch_dr_at(sample: Sample, threshold: float) -> Terms:
    """The same with weights above a threshold taken for 0."""
    return _corrected(sample, np.where(sample.weight <= threshold, sample.weight, 0.0))


def switch_threshold(sample: Sample) -> float:
    """The threshold of least estimated squared error: variance of the mean plus a bound on the squared bias.

    The bias of dropping weights above it is at most the target's probability beyond it, whose estimate is the mean of
    these weights, times the largest error of the outcome model (Wang, Agarwal and Dudik, 2017, sec. 3.2).
    """
    weight, n = sample.weight, sample.weight.size
    positive = weight[weight > 0]
    if positive.size == 0:
        return np.inf
    largest_error = float(np.abs(_error(sample)).max())
    candidates = np.unique(np.quantile(positive, np.linspace(0.0, 1.0, _THRESHOLDS)))

    def squared_error(threshold: float) -> float:
        beyond = float(np.where(weight > threshold, weight, 0.0).mean())
        return float(switch_dr_at(sample, threshold).numerator.var()) / n + (beyond * largest_error) ** 2

    return float(min(candidates[::-1], key=squared_error))


ESTIMATORS: Mapping[str, Callable[[Sample], Terms]] = MappingProxyType(
    {"ips": ips, "snips": snips, "dm": dm, "dr": dr, "switch-dr": switch_dr}
)
"""Every estimator by the name that people type."""

WEIGHTED = frozenset({"ips", "snips", "dr"})
"""Those that no model's error can bias for good: these carry a verdict."""


def _corrected(sample: Sample, weight: Floats) -> Terms:
    """What the outcome model expects of the target, put right by its weighted errors."""
    expected = (sample.target * sample.model).sum(1)
    return Terms(expected + weight * _error(sample), np.ones_like(weight), weight)


def _error(sample: Sample) -> Floats:
    return sample.reward - np.take_along_axis(sample.model, sample.chosen[:, None], 1)[:, 0]
