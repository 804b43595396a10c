"""One signal of one target by one estimator: the estimate, its gain over what was logged, and their intervals."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .anytime import looks
from .bootstrap import Resamples, percentile, replicates, resamples
from .estimators import ESTIMATORS, Sample, Terms, switch_dr_at, switch_threshold
from .judging import Known, known_rows
from .log import LogTable
from .outcome_model import OutcomeModel
from .results import Interval, Value
from .skewed import draws, offsets

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
    gain = terms.estimate - logged.estimate
    ci95, gain_ci95 = (
        _resampled(estimator, sample, part, logged) if bounded else _leaning(estimator, sample, part, gain)
    )
    return Value(
        mean=terms.estimate,
        ci95=_within(ci95, terms.estimate, Interval(0.0, 1.0 if bounded else math.inf)),
        anytime95=None if ever is None else ever.value,
        gain=gain,
        gain_ci95=gain_ci95,
        gain_anytime95=None if ever is None else ever.gain,
        rows=reward.size,
    )


def _resampled(estimator: str, sample: Sample, part: Part, logged: Terms) -> tuple[Interval, Interval]:
    """Intervals of quality and of its gain: a bootstrap, whose prior knows both ends."""
    estimates = _replicates(estimator, sample, part)
    return _with_ends(percentile(estimates), sample), percentile(estimates - replicates(logged, part.drawn))


def _leaning(estimator: str, sample: Sample, part: Part, gain: float) -> tuple[Interval, Interval]:
    """Intervals of dollars or seconds and of their gain; nan where at most one outcome speaks of the target.

    Every decision knows both, so each stands for itself alone.
    """
    if (sample.weight > 0).sum() < 2:
        return _NOTHING, _NOTHING
    around = offsets(_spread_by(estimator, sample), sample, draws(part.log, sample))
    estimate = ESTIMATORS[estimator](sample).estimate
    return _moved(around.value, estimate), _moved(around.gain, gain)


def _spread_by(estimator: str, sample: Sample) -> Callable[[Sample], Terms]:
    """The estimator, as its spread is told: what it chose by the sample stays chosen.

    That of dm is like that of dr: its own terms know the model's expectations, and not how unsure they are.
    """
    if estimator == "switch-dr":
        return partial(switch_dr_at, threshold=switch_threshold(sample))
    return ESTIMATORS["dr" if estimator == "dm" else estimator]


def _replicates(estimator: str, sample: Sample, part: Part) -> Floats:
    """(B,) the estimate on each resample; nan where no outcome speaks of the target."""
    matched = sample.weight > 0
    if not matched.any():
        return np.full(part.drawn.counts.shape[0], np.nan)
    stands_for = part.known.stands_for
    terms = ESTIMATORS[estimator](sample).weighed(stands_for)
    spread = _spread_by(estimator, sample)(sample).weighed(stands_for)
    ends = part.drawn.at_ends(sample.reward[matched])
    return replicates(spread, part.drawn, ends) + (terms.estimate - spread.estimate)


def _with_ends(interval: Interval, sample: Sample) -> Interval:
    """The interval up to the end at which every matched outcome lies: nothing that was seen speaks against it."""
    if math.isnan(interval.low):
        return interval
    matched = sample.reward[sample.weight > 0]
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
