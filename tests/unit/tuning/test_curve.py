"""What holds of every curve, and how wide its resamples spread where that is known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from banditroute.tuning.curve import Curve, Floats, cheapest

BUDGETS = np.geomspace(1e-4, 1e-2, 6)
QUALITIES = arrays(np.float64, (5, 6), elements=st.floats(0.0, 1.0))
NO_ORDERS = np.zeros((0, 6))


def rising(values: Floats) -> bool:
    return bool((np.diff(values, axis=-1) >= -1e-12).all())


@given(QUALITIES)
def test_more_money_never_buys_less(quality: Floats) -> None:
    curve = Curve(BUDGETS, quality, NO_ORDERS)
    assert rising(curve.means)
    assert rising(curve.resampled(20, np.random.default_rng(0)))
    assert (curve.slope() >= 0.0).all()
    assert curve.means.mean() == pytest.approx(quality.mean())  # pooling moves quality between budgets, no more


@given(QUALITIES)
def test_a_curve_that_rises_by_itself_is_left_as_it_is(quality: Floats) -> None:
    quality = np.sort(quality, axis=1)
    np.testing.assert_allclose(Curve(BUDGETS, quality, NO_ORDERS).means, quality.mean(0), atol=1e-12)


@given(arrays(np.float64, 6, elements=st.floats(0.0, 1.0)), st.floats(0.0, 1.0))
def test_the_cheapest_budget_is_the_curve_read_backwards(quality: Floats, target: float) -> None:
    quality = np.sort(quality)
    found = cheapest(BUDGETS, quality, target)
    if target <= quality[0]:
        assert found == 0.0
    elif target > quality[-1]:
        assert found == np.inf
    else:
        there = float(np.interp(np.log(found), np.log(BUDGETS), quality))
        assert BUDGETS[0] <= found <= BUDGETS[-1] * (1 + 1e-12)
        assert there == pytest.approx(target, abs=1e-6) or there >= target  # a jump is reached at its far end
        assert np.interp(np.log(0.999 * found), np.log(BUDGETS), quality) <= target + 1e-6


def test_between_two_budgets_by_the_log_of_dollars() -> None:
    assert cheapest(np.array([1e-4, 1e-2]), np.array([0.4, 0.6]), 0.5) == pytest.approx(1e-3)


def test_the_slope_is_quality_per_dollar() -> None:
    budgets = np.linspace(1e-3, 2e-3, 11)
    quality = np.tile(50.0 * budgets, (4, 1))
    np.testing.assert_allclose(Curve(budgets, quality, np.zeros((0, 11))).slope(), 50.0)


def test_one_budget_alone_has_no_slope() -> None:
    assert Curve(np.array([1e-3]), np.full((4, 1), 0.5), np.zeros((0, 1))).slope().tolist() == [0.0]


def test_resamples_spread_as_the_mean_of_requests_does() -> None:
    chance = np.random.default_rng(1)
    quality = np.sort(chance.normal(0.5, 0.1, (400, 1)), axis=0)
    drawn = Curve(np.array([1e-3]), quality, np.zeros((0, 1))).resampled(4000, chance)
    assert drawn.shape == (4000, 1)
    assert drawn.mean() == pytest.approx(quality.mean(), abs=5 * 0.1 / np.sqrt(400 * 4000))
    assert drawn.std() == pytest.approx(quality.std() / 20, rel=0.06)


def test_stream_orders_are_chance_too() -> None:
    chance = np.random.default_rng(2)
    orders = chance.normal(0.5, 0.05, (25, 1))
    drawn = Curve(np.array([1e-3]), np.full((400, 1), 0.5), orders).resampled(4000, chance)
    assert drawn.mean() == pytest.approx(0.5, abs=5 * 0.01 / np.sqrt(4000))  # the orders spread, they do not shift
    assert drawn.std() == pytest.approx(orders.std() / 5, rel=0.06)
