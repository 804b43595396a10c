"""One signal of one target by one estimator: the estimate, its gain over what was logged, and their intervals."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .anytime import looks
from .bootstrap import Resamples, percentile, replicates
from .estimators import ESTIMATORS, Sample, Terms, switch_dr_at, switch_threshold
from .judging import Known, known_rows
from .log import LogTable
from .outcome_model import OutcomeModel
from .results import Interval, Value
from .skewed import Offsets, draws, offsets

Floats = NDArray[np.float64]

HEADROOM = 2.0
"""The most that a call may cost or take, against the most that was seen."""

_NOTHING = Interval(math.nan, math.nan)


class Part(NamedTuple):
    """The m decisions that know a signal, and what all targets share on them.

    Attributes:
        known: which they are.
        log: their rows.
        logging: (m, K) what they were drawn from, a model of which nothing is known left out.
        fitted: what is expected of them, cross-fitted; past: the same from the past alone.
    """

    known: Known
    log: LogTable
    logging: Floats
    fitted: OutcomeModel
    past: OutcomeModel


class Fits(NamedTuple):
    """What is expected of n decisions, cross-fitted and from the past alone, and (n, K) what they were drawn from."""

    fitted: OutcomeModel
    past: OutcomeModel
    logging: Floats


def part_of(log: LogTable, values: Floats, fits: Fits) -> Part | None:
    """The part of the log that knows values (n,); None where no row does."""
    known = known_rows(log, values)
    if known is None:
        return None
    rows = known.rows
    fitted, past = (OutcomeModel(*(signal[rows] for signal in model)) for model in (fits.fitted, fits.past))
    logging = np.where(known.models, fits.logging[rows], 0.0) / known.share
    return Part(known, log.select(rows), logging, fitted, past)


def value_of(
    estimator: str, signal: str, part: Part, p: Floats, weight: Floats, drawn: Resamples | None = None
) -> Value:
    """What a target, given as its probabilities (n, K) and weights (n,), would have got of a signal.

    Args:
        estimator: one of `ESTIMATORS`.
        signal: the log's column.
        part: the decisions that know it.
        p: the target's probabilities.
        weight: its importance weights.
        drawn: resamples of the part, for a signal that lies between 0 and 1; None = it has no most.
    """
    reward: Floats = getattr(part.log, signal)
    rows, stands_for = part.known.rows, part.known.stands_for
    most = 1.0 if drawn is not None else HEADROOM * max(float(reward.max()), 1e-12)
    own = weight[rows] * part.known.share
    sample = Sample(own, reward, part.log.chosen, p[rows], getattr(part.fitted, signal))
    terms = ESTIMATORS[estimator](sample).weighed(stands_for)
    logged = Terms(stands_for * reward, stands_for, stands_for)
    gain = terms.estimate - logged.estimate
    ever = looks(estimator, sample._replace(model=getattr(part.past, signal)), part.logging, most, stands_for)
    spread = _spread_by(estimator, sample)
    if drawn is not None:
        ci95, gain_ci95 = _resampled(sample, terms, spread(sample).weighed(stands_for), logged, drawn)
    else:
        around = _leaning(spread, sample, part.log)
        ci95, gain_ci95 = _moved(around.value, terms.estimate), _moved(around.gain, gain)
    return Value(
        mean=terms.estimate,
        ci95=_within(ci95, terms.estimate, Interval(0.0, math.inf if drawn is None else 1.0)),
        anytime95=None if ever is None else ever.value,
        gain=gain,
        gain_ci95=gain_ci95,
        gain_anytime95=None if ever is None else ever.gain,
        rows=reward.size,
    )


def _resampled(
    sample: Sample, terms: Terms, spread: Terms, logged: Terms, drawn: Resamples
) -> tuple[Interval, Interval]:
    """Intervals of quality and of its gain: a bootstrap, whose prior knows both ends; nan where no outcome speaks."""
    matched = sample.reward[sample.weight > 0]
    if not matched.size:
        return _NOTHING, _NOTHING
    estimates = replicates(spread, drawn, drawn.at_ends(matched)) + (terms.estimate - spread.estimate)
    return _with_ends(percentile(estimates), matched), percentile(estimates - replicates(logged, drawn))


def _leaning(spread: Callable[[Sample], Terms], sample: Sample, log: LogTable) -> Offsets:
    """Intervals of dollars or seconds, less the estimate; nan where at most one outcome speaks of the target.

    Every decision knows both, so each stands for itself alone.
    """
    if (sample.weight > 0).sum() < 2:
        return Offsets(_NOTHING, _NOTHING)
    return offsets(spread, sample, draws(log, sample))


def _spread_by(estimator: str, sample: Sample) -> Callable[[Sample], Terms]:
    """The estimator, as its spread is told: what it chose by the sample stays chosen.

    That of dm is like that of dr: its own terms know the model's expectations, and not how unsure they are.
    """
    if estimator == "switch-dr":
        return partial(switch_dr_at, threshold=switch_threshold(sample))
    return ESTIMATORS["dr" if estimator == "dm" else estimator]


def _with_ends(interval: Interval, matched: Floats) -> Interval:
    """The interval up to the end at which every matched outcome lies: nothing that was seen speaks against it."""
    if math.isnan(interval.low):
        return interval
    low = 0.0 if (matched == 0.0).all() else interval.low
    return Interval(low, 1.0 if (matched == 1.0).all() else interval.high)


def _moved(interval: Interval, by: float) -> Interval:
    return Interval(interval.low + by, interval.high + by)


def _within(interval: Interval, estimate: float, limits: Interval) -> Interval:
    """The interval with its estimate, and without what cannot be; nan stays nan."""
    if math.isnan(interval.low):
        return interval
    ends = min(interval.low, estimate), max(interval.high, estimate)
    return Interval(*(min(max(end, limits.low), limits.high) for end in ends))
