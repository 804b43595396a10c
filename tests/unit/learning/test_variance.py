"""Variance components on synthetic tables whose truth is known; seeds fixed, tolerances several standard errors."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pytest
from numpy.typing import NDArray

from banditroute.learning import variance
from banditroute.learning.evidence import Evidence, empty, observe_many
from banditroute.learning.posterior import predict, solve
from banditroute.learning.priors import QUALITY

Floats = NDArray[np.float64]

CLASSES, MODELS, EACH = 30, 6, 80


class World(NamedTuple):
    """Synthetic evidence with the class effects behind it: shared (C,) and deviation (C, K)."""

    evidence: Evidence
    shared: Floats
    deviation: Floats


def world(
    *,
    shared_sd: float = 0.0,
    deviation_sd: float = 0.0,
    slope_sd: float = 0.0,
    noise_sd: float = 0.2,
    features: int = 0,
) -> World:
    rng = np.random.default_rng(7)
    shared = rng.normal(0, shared_sd, CLASSES)
    deviation = rng.normal(0, deviation_sd, (CLASSES, MODELS))
    level = rng.normal(0.7, 0.15, MODELS) + shared[:, None] + deviation
    slopes = rng.normal(0, slope_sd, (MODELS, features))
    task, arm = (index.repeat(EACH) for index in np.indices((CLASSES, MODELS)).reshape(2, -1))
    x = np.column_stack([np.ones(task.size), rng.normal(size=(task.size, 1 + features))])
    y = level[task, arm] + (x[:, 2:] * slopes[arm]).sum(1) + rng.normal(0, noise_sd, task.size)
    evidence = empty((CLASSES, MODELS), 2 + features)
    observe_many(evidence, (task, arm), x, y)
    return World(evidence, shared, deviation)


def effects_of(evidence: Evidence) -> variance.ClassEffects:
    return variance.class_effects(evidence, variance.within_class_noise(evidence, QUALITY), QUALITY)


@pytest.mark.parametrize("truth", [0.05, 0.2, 0.6])
def test_noise_is_recovered_within_a_tenth(truth: float) -> None:
    evidence = world(deviation_sd=0.1, noise_sd=truth).evidence
    np.testing.assert_allclose(np.sqrt(solve(evidence, QUALITY).noise).mean(), truth, rtol=0.1)


@pytest.mark.parametrize("truth", [0.05, 0.1, 0.25])
@pytest.mark.parametrize("shared_sd", [0.0, 0.15])
def test_class_deviations_are_recovered_within_a_fifth(truth: float, shared_sd: float) -> None:
    """Six models times 29 free classes give a standard error of 5%."""
    sd = effects_of(world(shared_sd=shared_sd, deviation_sd=truth).evidence).deviation_sd
    np.testing.assert_allclose(sd.mean(), truth, rtol=0.2)


def test_no_class_deviation_is_told_from_some() -> None:
    assert effects_of(world().evidence).deviation_sd.max() < 0.015


def test_shared_class_effects_are_recovered() -> None:
    truth = world(shared_sd=0.15, deviation_sd=0.05)
    effects = effects_of(truth.evidence)
    error = effects.shared - (truth.shared - truth.shared.mean())[:, None]
    assert np.sqrt((error**2).mean()) < 0.04
    z = error / np.sqrt(effects.shared_var)
    assert 0.6 < z.std() < 1.4  # the stated variance is about right


def test_without_shared_effects_little_is_shared() -> None:
    assert np.abs(effects_of(world(deviation_sd=0.1).evidence).shared).max() < 0.06


@pytest.mark.parametrize("truth", [0.01, 0.05, 0.1])
def test_slopes_are_recovered_within_a_third(truth: float) -> None:
    """Six models times 12 features give a standard error of 8%; the hyperprior pulls a little."""
    evidence = world(deviation_sd=0.1, slope_sd=truth, features=12).evidence
    noise = variance.within_class_noise(evidence, QUALITY)
    spread = variance.slope_spread(evidence, noise, QUALITY, variance.feature_scale(evidence))
    np.testing.assert_allclose(spread.mean(), truth, rtol=1 / 3)


def test_features_that_tell_nothing_are_shrunk_to_nothing() -> None:
    evidence = world(deviation_sd=0.1, features=8).evidence
    noise = variance.within_class_noise(evidence, QUALITY)
    assert variance.slope_spread(evidence, noise, QUALITY, variance.feature_scale(evidence)).max() < 0.006


def rescaled(evidence: Evidence, column: int, factor: float) -> Evidence:
    """The evidence as it had been, had that input come in another unit."""
    unit = np.ones(evidence.b.shape[-1])
    unit[column] = factor
    return Evidence(evidence.A * np.outer(unit, unit), evidence.b * unit, evidence.n, evidence.s)


@pytest.mark.parametrize("factor", [1000.0, 10.0, -1.0])
def test_predictions_do_not_know_a_features_unit(factor: float) -> None:
    evidence = world(deviation_sd=0.1, slope_sd=0.05, features=3).evidence
    x = np.array([1.0, 0.3, 1.5, -1.0, 0.5])
    other_x = x * np.array([1, 1, 1, factor, 1])
    one = predict(solve(evidence, QUALITY), 2, x)
    other = predict(solve(rescaled(evidence, 3, factor), QUALITY), 2, other_x)
    np.testing.assert_allclose(other.mean, one.mean, rtol=0, atol=1e-4)
    np.testing.assert_allclose(other.var, one.var, rtol=1e-2)


def test_a_perfect_run_keeps_some_noise() -> None:
    evidence = empty((1, 1), 2)
    n = 10_000
    none = np.zeros(n, dtype=np.int64)
    observe_many(evidence, (none, none), np.tile([1.0, 0.0], (n, 1)), np.ones(n))
    assert solve(evidence, QUALITY).noise[0, 0] >= variance.NOISE_FLOOR


def test_noise_of_few_observations_stays_near_the_prior() -> None:
    evidence = empty((1, 2), 2)
    observe_many(evidence, (np.array([0]), np.array([0])), np.array([[1.0, 0.0]]), np.array([0.0]))
    noise = variance.within_class_noise(evidence, QUALITY)
    np.testing.assert_allclose(np.sqrt(noise), QUALITY.noise_sd, rtol=0.01)
