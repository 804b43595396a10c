"""One signal of one target by one estimator: the estimate, its gain over what was logged, and their intervals."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .anytime import looks
from .bootstrap import Resamples, percentile, replicates, resamples
from .estimators import ESTIMATORS, Sample, Terms, dr
from .judging import Known, known_rows
from .log import LogTable
from .outcome_model import OutcomeModel
from .results import Interval, Value

Floats = NDArray[np.float64]

HEADROOM = 2.0
"""The most that a call may cost or take, against the most that was seen."""


class Part(NamedTuple):
    """The m decisions that know a signal, and what all targets share on them.

    Attributes:
        known: which they are.
        log: their rows.
        logging: (m, K) what they were drawn from, a model of which nothing is known left out.
        fitted: what is expected of them, cross-fitted; past: the same from the past alone.
        drawn: resamples of them.
    """

    known: Known
    log: LogTable
    logging: Floats
    fitted: OutcomeModel
    past: OutcomeModel
    drawn: Resamples


class Fits(NamedTuple):
    """What is expected of n decisions, cross-fitted and from the past alone, and (n, K) what they were drawn from."""

    fitted: OutcomeModel
    past: OutcomeModel
    logging: Floats


def part_of(log: LogTable, values: Floats, fits: Fits, number: int, rng: np.random.Generator) -> Part | None:
    """The part of the log that knows values (n,); None where no row does."""
    known = known_rows(log, values)
    if known is None:
        return None
    rows = known.rows
    fitted, past = (OutcomeModel(*(signal[rows] for signal in model)) for model in (fits.fitted, fits.past))
    logging = np.where(known.models, fits.logging[rows], 0.0) / known.share
    return Part(known, log.select(rows), logging, fitted, past, resamples(rows.size, number, rng))


def value_of(estimator: str, signal: str, part: Part, p: Floats, weight: Floats) -> Value:
    """What a target, given as its probabilities (n, K) and weights (n,), would have got of a signal."""
    reward: Floats = getattr(part.log, signal)
    rows, stands_for = part.known.rows, part.known.stands_for
    bounded = signal == "quality"
    most = 1.0 if bounded else HEADROOM * max(float(reward.max()), 1e-12)
    own = weight[rows] * part.known.share
    sample = Sample(own, reward, part.log.chosen, p[rows], getattr(part.fitted, signal))
    terms = ESTIMATORS[estimator](sample).weighed(stands_for)
    ever = looks(estimator, sample._replace(model=getattr(part.past, signal)), part.logging, most, stands_for)
    logged = Terms(stands_for * reward, stands_for, stands_for)
    estimates = _replicates(estimator, sample, part, bounded=bounded)
    limits = Interval(0.0, 1.0 if bounded else math.inf)
    return Value(
        mean=terms.estimate,
        ci95=_within(_with_ends(percentile(estimates), sample, bounded=bounded), terms.estimate, limits),
        anytime95=None if ever is None else ever.value,
        gain=terms.estimate - logged.estimate,
        gain_ci95=percentile(estimates - replicates(logged, part.drawn)),
        gain_anytime95=None if ever is None else ever.gain,
        rows=reward.size,
    )


def _replicates(estimator: str, sample: Sample, part: Part, *, bounded: bool) -> Floats:
    """(B,) the estimate on each resample; nan where no outcome speaks of the target, or but one that has no ends.

    Those of dm are spread like those of dr: its own terms know the model's expectations, and not how unsure they are.
    """
    matched = sample.weight > 0
    if matched.sum() < (1 if bounded else 2):
        return np.full(part.drawn.counts.shape[0], np.nan)
    stands_for = part.known.stands_for
    terms = ESTIMATORS[estimator](sample).weighed(stands_for)
    spread = dr(sample).weighed(stands_for) if estimator == "dm" else terms
    ends = part.drawn.at_ends(sample.reward[matched]) if bounded else None
    return replicates(spread, part.drawn, ends) + (terms.estimate - spread.estimate)


def _with_ends(interval: Interval, sample: Sample, *, bounded: bool) -> Interval:
    """The interval up to the end at which every matched outcome lies: nothing that was seen speaks against it."""
    if not bounded or math.isnan(interval.low):
        return interval
    matched = sample.reward[sample.weight > 0]
    low = 0.0 if (matched == 0.0).all() else interval.low
    return Interval(low, 1.0 if (matched == 1.0).all() else interval.high)


def _within(interval: Interval, estimate: float, limits: Interval) -> Interval:
    """The interval with its estimate, and without what cannot be; nan stays nan."""
    if math.isnan(interval.low):
        return interval
    ends = min(interval.low, estimate), max(interval.high, estimate)
    return Interval(*(min(max(end, limits.low), limits.high) for end in ends))
