"""Importance weights, and how far they carry: effective sample size, the largest weight, what the log never saw."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from .log import LogTable
from .results import Overlap
from .targets import logging_propensities

Floats = NDArray[np.float64]


def importance_weights(log: LogTable, target: Floats) -> Floats:
    """(n,) the chosen model's probability under the target (n, K) over its logged propensity; every row was drawn."""
    return np.take_along_axis(target, log.chosen[:, None], 1)[:, 0] / log.propensity


def effective_size(weight: Floats) -> float:
    """How many equally weighted decisions carry as much: (sum w)^2 / sum w^2 (Kong, 1992); 0 where all are 0."""
    squares = float((weight**2).sum())
    return float(weight.sum()) ** 2 / squares if squares > 0 else 0.0


def unseen(log: LogTable, target: Floats) -> Floats:
    """(n, K) what of the target's probability lies where the log could not have drawn."""
    return np.where(logging_propensities(log) > 0.0, 0.0, target)


def overlaps(log: LogTable, target: Floats, weight: Floats) -> Iterator[Overlap]:
    """How much the log says of the target at each model that either of them draws."""
    hidden = unseen(log, target)
    for arm, model in enumerate(log.models):
        mine = weight[log.chosen == arm]
        logged, wanted = mine.size / log.rows, float(target[:, arm].mean())
        if logged or wanted:
            used = mine[mine > 0]
            largest = float(mine.max(initial=0.0))
            lost = float(hidden[:, arm].mean())
            yield Overlap(model, logged, wanted, used.size, effective_size(mine), largest, lost)
