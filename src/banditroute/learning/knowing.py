"""When a task class's best model is known: the chance that another one is better by more than a tolerance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Known:
    """When to stop exploring.

    Attributes:
        confidence: that no other model is better, averaged over the latest requests of the class.
        tolerance: quality points, dollars priced in, by which another may be better and not be missed.
        memory: requests of a class after which older ones begin to fade.
        lost: how many times the doubt at which a model is found it must exceed for the class to be open again.
    """

    confidence: float = 0.95
    tolerance: float = 0.02
    memory: float = 32.0
    lost: float = 2.0


class Leader(NamedTuple):
    """The best of the eligible arms at one context, and the doubt about it; both (...)."""

    arm: Ints
    doubt: Floats


def leader(worth: Floats, sd: Floats, eligible: Bools, tolerance: float) -> Leader:
    """Who is expected to be best, and a bound of the probability that another is better by more than the tolerance.

    The bound adds up the other arms' probabilities, and so is never too small.

    Args:
        worth: (..., K) expected utility.
        sd: (..., K) posterior standard deviations of it.
        eligible: (..., K).
        tolerance: in the same unit.
    """
    value = np.where(eligible, worth, -np.inf)
    best = value.argmax(-1)
    leads = np.arange(worth.shape[-1]) == best[..., None]
    spread = np.hypot((sd * leads).sum(-1, keepdims=True), sd)
    behind = worth - value.max(-1, keepdims=True) - tolerance
    doubt = ndtr(behind / np.maximum(spread, 1e-12)) * (eligible & ~leads)
    return Leader(best, np.minimum(doubt.sum(-1), 1.0))


def averaged(average: Floats, latest: Floats, memory: float) -> Floats:
    """A running average with one more value; one that is `memory` requests old counts a third of the newest."""
    return average + (latest - average) / memory


def is_known(was: Bools, doubt: Floats, terms: Known) -> Bools:
    """Whether a class's best model is known, given whether it was and the average doubt now."""
    least = 1.0 - terms.confidence
    return np.where(was, doubt <= terms.lost * least, doubt <= least)
