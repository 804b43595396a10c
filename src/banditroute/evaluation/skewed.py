"""Intervals of amounts that have no most, dollars and seconds, where a few rare and dear decisions make the estimate.

A log in which such draws happened not to fall shows too low a mean and too low a spread at once, and resampling what it
shows cannot tell. But how likely each draw was is on record. So the spread is also foretold: over all models that a
decision could have drawn, each weighed by its propensity, with outcomes as uncertain as that model's were. The larger
of the two counts, as `weights.carried_size` takes the smaller of two sizes.

What skewness is left leans the interval to where the truth would hide: Hall's monotone cubic transformation, inverted
(Hall, 1992, "On the removal of skewness by transformation", J. R. Statist. Soc. B 54, 221-228).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .estimators import Sample, Terms
from .log import LogTable, one_hot
from .results import Z95, Interval

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_MOST_SKEWED = 0.3
"""Skewness of a mean up to which the transformation is trusted: its series goes by powers of it, to the second."""

_TOO_RARE = 0.1
"""Draws of the largest weights are left out up to this expected number of them in the whole log: nine logs in ten have
none, and counting them made intervals twice as wide as needed. Chosen, like the bound above, on logs of known truth.
"""

Estimator = Callable[[Sample], Terms]


class Draws(NamedTuple):
    """What each of n decisions could have drawn among K models.

    Attributes:
        p: (n, K) with which probability; all of it on the chosen model where the log does not say, and none on what
            is too rare to be foretold.
        weight: (n, K) the importance weight that it would have had.
    """

    p: Floats
    weight: Floats


class Offsets(NamedTuple):
    """95% intervals around an estimate and around its gain over what was logged, both less the estimate itself."""

    value: Interval
    gain: Interval


def draws(log: LogTable, sample: Sample) -> Draws:
    """What could have been drawn, with the weights that the target gives it."""
    known = np.isfinite(log.propensities).all(1, keepdims=True)
    p = np.where(known, log.propensities, one_hot(log.chosen, len(log.models)))
    weight = np.divide(sample.target, p, out=np.zeros_like(p), where=p > 0)
    np.put_along_axis(weight, log.chosen[:, None], sample.weight[:, None], 1)
    return Draws(_without_the_rarest(p, weight), weight)


def offsets(estimator: Estimator, sample: Sample, drawn: Draws) -> Offsets:
    """The intervals of an estimator on a sample whose every decision knows its outcome."""
    terms = estimator(sample)
    outcomes = _outcomes(sample)
    value = _influence(terms, terms)
    gain = value - (sample.reward - sample.reward.mean())
    models = range(drawn.p.shape[1])
    by_model = [estimator(_had_drawn(k, sample, drawn, outcomes.mean)) for k in models]
    expected = np.stack([_influence(each, terms) for each in by_model], axis=1)
    slope = np.stack([each.weight for each in by_model], axis=1) / terms.denominator.mean()
    gain_expected = expected - (outcomes.mean - sample.reward.mean())
    return Offsets(
        _interval(_seen(value), _foretold(drawn.p, expected, slope, outcomes)),
        _interval(_seen(gain), _foretold(drawn.p, gain_expected, slope - 1.0, outcomes)),
    )


def _without_the_rarest(p: Floats, weight: Floats) -> Floats:
    by_weight = np.argsort(-weight, axis=None, kind="stable")
    expected = np.cumsum(p.ravel()[by_weight])
    left = p.copy()
    left.ravel()[by_weight[: np.searchsorted(expected, _TOO_RARE)]] = 0.0
    return left


class _Spread(NamedTuple):
    """Standard deviation and skewness of a mean of independent terms."""

    sd: float
    skewness: float


class _Outcomes(NamedTuple):
    """What could have come of n decisions at K models: the mean, and second and third moments about it, all (n, K)."""

    mean: Floats
    second: Floats
    third: Floats


def _outcomes(sample: Sample) -> _Outcomes:
    """The outcome model put right for each model's level, with errors in proportion to what was expected."""
    chosen, models = sample.chosen, sample.model.shape[1]
    of_chosen = np.take_along_axis(sample.model, chosen[:, None], 1)[:, 0]
    mean = sample.model * _ratio(sample.reward, of_chosen, chosen, models)
    expected = np.take_along_axis(mean, chosen[:, None], 1)[:, 0]
    error = sample.reward - expected
    second, third = (_ratio(error**power, expected**power, chosen, models) for power in (2, 3))
    return _Outcomes(mean, second * mean**2, third * mean**3)


def _ratio(above: Floats, below: Floats, chosen: Ints, models: int) -> Floats:
    """(K,) one sum over another among the decisions that drew each model; among all where fewer than two did."""
    many = np.bincount(chosen, minlength=models) > 1
    top, bottom = (np.where(many, np.bincount(chosen, each, models), each.sum()) for each in (above, below))
    return np.divide(top, bottom, out=np.zeros(models), where=bottom > 0)


def _had_drawn(arm: int, sample: Sample, drawn: Draws, mean: Floats) -> Sample:
    """The sample as it were expected if every decision had drawn one model."""
    return sample._replace(weight=drawn.weight[:, arm], reward=mean[:, arm], chosen=np.full_like(sample.chosen, arm))


def _influence(terms: Terms, of: Terms) -> Floats:
    """(n,) how much each term moves an estimate, times n: the ratio of sums to first order."""
    return (terms.numerator - of.estimate * terms.denominator) / of.denominator.mean()


def _seen(influence: Floats) -> _Spread:
    return _spread(influence.size, float((influence**2).sum()), float((influence**3).sum()))


def _foretold(p: Floats, expected: Floats, slope: Floats, outcomes: _Outcomes) -> _Spread:
    """The spread over draws and outcomes, of terms that are straight lines in the outcome."""
    second, third = slope**2 * outcomes.second, slope**3 * outcomes.third
    squares = p * (expected**2 + second)
    cubes = p * (expected**3 + 3.0 * expected * second + third)
    return _spread(p.shape[0], float(squares.sum()), float(cubes.sum()))


def _spread(n: int, squares: float, cubes: float) -> _Spread:
    return _Spread(squares**0.5 / n, cubes / squares**1.5 if squares > 0 else 0.0)


def _interval(*spreads: _Spread) -> Interval:
    """By the largest spread and the largest skewness among these."""
    sd = max(each.sd for each in spreads)
    skewness = max((each.skewness for each in spreads), key=abs)
    skewness = min(max(skewness, -_MOST_SKEWED), _MOST_SKEWED)
    return Interval(-sd * _untransformed(Z95, skewness), -sd * _untransformed(-Z95, skewness))


def _untransformed(z: float, skewness: float) -> float:
    """What Hall's transformation takes to z: T + s T^2 / 3 + s^2 T^3 / 27 + s / 6 of a studentized mean T."""
    if abs(skewness) < 1e-6:
        return z
    return 3.0 / skewness * (float(np.cbrt(1.0 + skewness * (z - skewness / 6.0))) - 1.0)
