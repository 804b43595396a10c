"""Best-arm probabilities against a dense trapezoid rule, which converges geometrically on these smooth integrands."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import integrate, stats

from banditroute.learning.selection import best_arm_probabilities

Floats = NDArray[np.float64]

NODES = 200_000
WIDEST_RATIO = 1000.0


def dense(mean: Floats, sd: Floats) -> Floats:
    """P(arm is best) by 200,000 nodes over every arm's nine standard deviations: steps of .1 of the narrowest."""
    x = np.linspace((mean - 9 * sd).min(), (mean + 9 * sd).max(), NODES)
    below = stats.norm.cdf((x - mean[:, None]) / sd[:, None])
    density = stats.norm.pdf((x - mean[:, None]) / sd[:, None]) / sd[:, None]
    others = np.array([np.delete(below, arm, axis=0).prod(0) for arm in range(mean.size)])
    return integrate.trapezoid(density * others, x, axis=1)


@st.composite
def arms(draw: st.DrawFn) -> tuple[Floats, Floats]:
    """Up to eight arms within reach of each other, widths up to a thousandfold apart, on any scale."""
    count, scale = draw(st.integers(2, 8)), 10 ** draw(st.floats(-3, 2))
    means = draw(st.lists(st.floats(-1, 1), min_size=count, max_size=count))
    powers = draw(st.lists(st.floats(0, 1), min_size=count, max_size=count))
    return scale * np.array(means), scale * WIDEST_RATIO ** -np.array(powers)


@settings(max_examples=25, deadline=None, derandomize=True)
@given(arms())
def test_probabilities_match_the_dense_rule(case: tuple[Floats, Floats]) -> None:
    mean, sd = case
    p = best_arm_probabilities(mean, sd)
    assert abs(p.sum() - 1) < 1e-10
    np.testing.assert_allclose(p, dense(mean, sd), rtol=0, atol=1e-8)


@pytest.mark.parametrize("seed", range(12))
def test_probabilities_match_the_dense_rule_on_close_races(seed: int) -> None:
    """Means within the narrow arms' own widths, where coarse rules fail most."""
    rng = np.random.default_rng(seed)
    count = int(rng.integers(2, 9))
    sd = WIDEST_RATIO ** -rng.uniform(0, 1, count)
    mean = rng.normal(size=count) * sd
    np.testing.assert_allclose(best_arm_probabilities(mean, sd), dense(mean, sd), rtol=0, atol=1e-8)


def test_two_arms_have_a_closed_form() -> None:
    rng = np.random.default_rng(0)
    for _ in range(200):
        mean, sd = rng.normal(size=2), 10 ** rng.uniform(-3, 0, 2)
        expected = stats.norm.cdf((mean[0] - mean[1]) / np.hypot(*sd))
        assert abs(best_arm_probabilities(mean, sd)[0] - expected) < 1e-9


def test_gauss_hermite_would_not_pass() -> None:
    """The reference tells right from wrong: ten Gauss-Hermite nodes miss by more than a percent."""
    mean, sd = np.array([0.0, 0.1]), np.array([1.0, 0.01])
    node, weight = np.polynomial.hermite_e.hermegauss(10)
    hermite = float(weight @ stats.norm.cdf((mean[0] + sd[0] * node - mean[1]) / sd[1]) / weight.sum())
    assert abs(hermite - dense(mean, sd)[0]) > 1e-2
    np.testing.assert_allclose(best_arm_probabilities(mean, sd), dense(mean, sd), rtol=0, atol=1e-8)
