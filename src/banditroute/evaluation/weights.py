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


def carried_size(log: LogTable, target: Floats, weight: Floats) -> float:
    """How many decisions of the target's own a log is worth: by what was drawn, or could have been if that is less.

    Rare draws that did not happen make a log look better than it is: its weights are then all near one, and what they
    leave out is not noticed. Where every model's propensity is on record, the weights' second moment is known rather
    than estimated: the sum over models of target^2 / propensity.
    """
    known = np.isfinite(log.propensities).all(1)
    p = np.where(np.expand_dims(known, 1), log.propensities, 1.0)
    moments = np.divide(target**2, p, out=np.zeros_like(p), where=p > 0).sum(1)
    second = np.where(known, moments, weight**2)
    first = np.where(known, np.where(p > 0, target, 0.0).sum(1), weight)
    expected = float(first.sum()) ** 2 / max(float(second.sum()), 1e-300)
    return min(effective_size(weight), expected)


def weights_sd(log: LogTable, target: Floats) -> float:
    """Spread of the importance weights: as seen, or as the propensities foretell, whichever is larger."""
    logging = logging_propensities(log)
    squares = np.divide(target**2, logging, out=np.zeros_like(target), where=logging > 0).sum(1).mean()
    seen = np.where(logging > 0, target, 0.0).sum(1).mean()
    return max(float(importance_weights(log, target).std()), float(np.sqrt(max(squares - seen**2, 0.0))))


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
