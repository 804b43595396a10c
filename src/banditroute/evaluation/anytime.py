"""Confidence sequences of a logged policy's value and of its gain over the logging policy.

The terms are those of ips, or those of dr with forecasts from the past alone, cut so that no term falls far below
zero (Waudby-Smith, Wu, Ramdas, Karampatziakis and Mineiro, 2024, sec. 2.2): a bet needs to know the least it may lose.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .estimators import Sample
from .results import Interval
from .sequences import lower_bound

Floats = NDArray[np.float64]

_ALPHA = 0.025  # at each end
_LEAST = 1.0  # how far below zero a term may fall

ANYTIME = frozenset({"ips", "dr"})
"""The estimators that have confidence sequences."""


class Looks(NamedTuple):
    """What holds at every look: of the value, and of the gain over the logging policy."""

    value: Interval
    gain: Interval


def looks(estimator: str, sample: Sample, logging: Floats, most: float, stands_for: Floats) -> Looks | None:
    """95% confidence sequences; None where the estimator has none.

    Args:
        estimator: its name.
        sample: with an outcome model that knows the past alone.
        logging: (n, K) what the log was drawn from.
        most: no outcome is above it.
        stands_for: (n,) how many decisions each of them stands for.
    """
    if estimator not in ANYTIME:
        return None
    scaled = sample._replace(reward=sample.reward / most, model=np.clip(sample.model / most, 0.0, 1.0))
    upside_down = scaled._replace(reward=1.0 - scaled.reward, model=1.0 - scaled.model)
    least = _LEAST if estimator == "dr" else 0.0
    low, low_gain = _lower(scaled, logging, least, stands_for)
    high, high_gain = _lower(upside_down, logging, least, stands_for)
    return Looks(Interval(most * low, most * (1.0 - high)), Interval(most * low_gain, -most * high_gain))


def _lower(sample: Sample, logging: Floats, least: float, stands_for: Floats) -> tuple[float, float]:
    """Lower bounds of the value and of the gain, for outcomes in [0, 1]."""
    terms, most = _terms(sample, logging, least), float(stands_for.max())
    value = lower_bound(stands_for * terms, -least * most, 1.0, _ALPHA, 0.0)
    gains = stands_for * (terms - sample.reward)
    return value, lower_bound(gains, -(least + 1.0) * most, 1.0, _ALPHA, -1.0)


def _terms(sample: Sample, logging: Floats, least: float) -> Floats:
    """(n,) unbiased terms, none below -least."""
    if least == 0.0:
        return sample.weight * sample.reward
    weights = np.divide(sample.target, logging, out=np.zeros_like(logging), where=logging > 0)
    np.put_along_axis(weights, sample.chosen[:, None], sample.weight[:, None], 1)
    # What the log could not have drawn counts as nothing, for either end: only so do the two ends stay honest.
    model = np.where(logging > 0, np.minimum(sample.model, least / np.maximum(weights, 1e-12)), 0.0)
    of_chosen = np.take_along_axis(model, sample.chosen[:, None], 1)[:, 0]
    return (sample.target * model).sum(1) + sample.weight * (sample.reward - of_chosen)
