from __future__ import annotations

import numpy as np
import pytest

from banditroute.learning.objective import expected_amount, utility

QUALITY = np.array([0.9, 0.7])


def test_a_price_of_nothing_leaves_quality() -> None:
    np.testing.assert_array_equal(utility(QUALITY), QUALITY)
    np.testing.assert_array_equal(utility(QUALITY, np.array([500.0, 1.0])), QUALITY)


def test_a_budgets_worth_of_dollars_costs_its_price_in_quality_points() -> None:
    np.testing.assert_allclose(utility(QUALITY, np.array([1.0, 0.0]), price=0.05), [0.85, 0.7])


def test_dollars_count_in_proportion() -> None:
    loss = QUALITY[0] - utility(np.full(3, 0.9), np.array([1.0, 18.0, 530.0]), price=1e-3)
    np.testing.assert_allclose(loss / loss[0], [1, 18, 530])


def test_seconds_cost_what_a_second_is_worth() -> None:
    value = utility(QUALITY, np.array([1.0, 1.0]), 0.1, latency_s=np.array([2.0, 0.5]), quality_per_s=0.02)
    np.testing.assert_allclose(value, [0.9 - 0.1 - 0.04, 0.7 - 0.1 - 0.01])


def test_each_replication_has_its_own_price() -> None:
    value = utility(np.tile(QUALITY, (2, 1)), np.ones((2, 2)), price=np.array([[0.0], [0.1]]))
    np.testing.assert_allclose(value, [[0.9, 0.7], [0.8, 0.6]])


@pytest.mark.parametrize("log_sd", [0.1, 0.5, 1.2])
def test_an_amount_is_the_mean_of_its_log_normal(log_sd: float) -> None:
    """The mean of 400,000 draws has a relative standard error below .3%."""
    draws = np.exp(np.random.default_rng(0).normal(-7.0, log_sd, 400_000))
    amount = expected_amount(np.array(-7.0), np.array(log_sd**2))
    np.testing.assert_allclose(amount, draws.mean(), rtol=0.015)


def test_ignorance_does_not_explode() -> None:
    amount = expected_amount(np.array([-9.0, 1e6]), np.array([1e6, 0.0]))
    assert amount[0] == pytest.approx(np.exp(-9.0 + 1.0))
    assert np.isfinite(amount).all()
