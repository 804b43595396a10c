"""What is drawn follows the probabilities that are logged. Seeds are fixed; false-alarm rates hold for a fresh seed."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from banditroute.learning.policy import Exploration, LearningPolicy, PolicySettings, Step
from banditroute.learning.selection import best_arm_probabilities, draw, draw_each, exploration_floor, mixed

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

FALSE_ALARM = 1e-6

MEAN = np.array([0.80, 0.79, 0.70, 0.75, 0.60])
SD = np.array([0.02, 0.001, 0.15, 0.05, 0.001])


def assert_drawn_from(p: Floats, arms: Ints) -> None:
    """Chi-square over the arms expected at least five times; the others together count as one more."""
    expected, seen = p * arms.size, np.bincount(arms, minlength=p.size).astype(np.float64)
    assert not seen[p == 0].any()
    common = expected >= 5
    assert common.sum() >= 2
    if (rest := expected[~common].sum()) >= 5:
        expected, seen = np.r_[expected[common], rest], np.r_[seen[common], seen[~common].sum()]
    else:
        expected, seen = expected[common], seen[common]
        expected *= seen.sum() / expected.sum()
    assert stats.chisquare(seen, expected).pvalue > FALSE_ALARM


@pytest.mark.statistical
@pytest.mark.parametrize("seed", range(3))
def test_propensities_agree_with_a_million_draws(seed: int) -> None:
    """False-alarm rate 1e-6 for each case."""
    rng = np.random.default_rng(seed)
    best = np.concatenate([rng.normal(MEAN, SD, (250_000, 5)).argmax(1) for _ in range(4)])
    assert_drawn_from(best_arm_probabilities(MEAN, SD), best)


@pytest.mark.statistical
def test_drawing_scores_and_drawing_from_the_logged_vector_are_one_distribution() -> None:
    """The simulator draws scores and then the floor, live traffic draws the logged vector; false-alarm rate 2e-6."""
    rng, n = np.random.default_rng(4), 200_000
    eligible = np.array([True, True, True, False, True])
    gap = np.where(eligible, MEAN.max() - MEAN, np.inf)
    share = np.array([0.1, 1.0, 30.0, 1.0, 0.5])
    floor = exploration_floor(eligible, gap, share, decisions=0.1, dollars=0.2, quality=0.01)
    logged = np.array(mixed(best_arm_probabilities(MEAN, SD, eligible).tolist(), floor.tolist()))
    scores = np.where(eligible, rng.normal(MEAN, SD, (n, 5)), -np.inf)
    assert_drawn_from(logged, draw_each(scores, np.broadcast_to(floor, scores.shape), rng.random(n)))
    assert_drawn_from(logged, np.array([draw(logged, u) for u in rng.random(n // 4)]))


@pytest.mark.statistical
@pytest.mark.parametrize("sampled", [0.5, 1.0])
def test_a_policy_samples_scores_as_wide_as_it_says(sampled: float) -> None:
    """Choices follow N(x'm, v^2 x'Sx) of the posterior after some outcomes; false-alarm rate 1e-6 for each case."""
    rng, R = np.random.default_rng(8), 4000
    policy = LearningPolicy((R, 1, 3), 3, None, PolicySettings(exploration=Exploration(sampled=sampled)))
    x = np.tile([1.0, 0.4, -1.0], (R, 1))

    def step() -> Step:
        zeros = np.zeros(R, dtype=np.int64)
        return Step(zeros, zeros, x, np.ones((R, 3), dtype=np.bool_), rng.normal(size=(R, 3)), rng.random(R))

    for arm, quality in [(0, 0.7), (0, 0.8), (1, 0.5)]:
        now = step()
        policy.choose(now)
        policy.learn(now, np.full(R, arm), np.full(R, quality), np.full(R, 1e-3))
    at = policy.quality.predict(np.zeros(R, dtype=np.int64), x)
    covariance = policy.quality.posterior.covariance[0, 0]
    np.testing.assert_allclose(at.var[0], np.einsum("i,kij,j->k", x[0], covariance, x[0]))
    assert np.ptp(np.sqrt(at.var[0])) > 0.01  # the arms' widths do differ
    expected = best_arm_probabilities(at.mean[0], sampled * np.sqrt(at.var[0]))
    assert_drawn_from(expected, np.concatenate([policy.choose(step()) for _ in range(25)]))
