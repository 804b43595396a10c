import math

import numpy as np
import pytest

from banditroute.benching.intervals import bounded_mean, mean, quantile


def test_twenty_right_of_twenty_are_not_perfect() -> None:
    found = bounded_mean(np.ones(20), 0.0, 1.0)
    assert found is not None
    assert (found.value, found.high) == (1.0, 1.0)
    assert 0.75 < found.low < 0.9  # Clopper and Pearson: .832


def test_a_proportion_has_the_interval_of_agresti_and_coull() -> None:
    found = bounded_mean(np.repeat([1.0, 0.0], [30, 70]), 0.0, 1.0)
    assert found is not None
    assert found.value == pytest.approx(0.3)
    assert (found.low, found.high) == pytest.approx((0.2186, 0.3961), abs=2e-3)  # theirs, by hand


def test_a_difference_of_scores_that_is_always_nothing_has_an_interval_around_nothing() -> None:
    found = bounded_mean(np.zeros(20), -1.0, 1.0)
    assert found is not None
    assert -0.3 < found.low < -0.05
    assert found.high == pytest.approx(-found.low)


@pytest.mark.statistical
@pytest.mark.parametrize("p", [0.5, 0.9, 0.97])
def test_the_interval_of_a_mean_covers(p: float) -> None:
    """4,000 samples of 40, scores that are right, wrong or half: false alarm below 1e-6 where coverage is 95%."""
    rng = np.random.default_rng(3)
    draws = (rng.random((4_000, 40)) < p) * rng.choice([0.5, 1.0], size=(4_000, 40))
    truth = 0.75 * p
    hits = [each.low <= truth <= each.high for row in draws if (each := bounded_mean(row, 0.0, 1.0))]
    assert 0.93 < np.mean(hits) < 0.99


def test_students_interval_of_a_mean() -> None:
    found = mean(np.array([1.0, 2.0, 3.0]))
    assert found is not None
    assert found == pytest.approx((2.0, 2 - 4.302653 / math.sqrt(3), 2 + 4.302653 / math.sqrt(3)), rel=1e-6)
    held = mean(np.array([1.0, 2.0, 3.0]), least=0.0)
    assert held is not None
    assert held.low == 0.0


def test_of_one_figure_no_interval_and_of_none_nothing_is_known() -> None:
    one = mean(np.array([2.0]))
    assert one is not None
    assert one.value == 2.0
    assert math.isnan(one.low)
    assert math.isnan(one.high)
    assert mean(np.empty(0)) is bounded_mean(np.empty(0), 0, 1) is quantile(np.empty(0), 0.5) is None


def test_a_medians_ends_are_order_statistics() -> None:
    found = quantile(np.arange(1.0, 26.0), 0.5)  # n = 25: the 8th and the 18th, in every table
    assert found == (13.0, 8.0, 18.0)


def test_the_far_end_of_a_high_quantile_is_unknown_while_there_are_few() -> None:
    few = quantile(np.arange(20.0), 0.95)
    many = quantile(np.arange(200.0), 0.95)
    assert few is not None
    assert many is not None
    assert math.isnan(few.high)
    assert few.low < few.value
    assert many.low < many.value < many.high
