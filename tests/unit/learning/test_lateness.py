"""The chance of being late: what a log-normal says, and what was seen of it since."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import lognorm

from banditroute.learning.lateness import Calibration, calibrated, late, pacing_for
from banditroute.learning.pacer import Pacer


@given(limit_s=st.floats(0.01, 100), mean=st.floats(-3, 4), sd=st.floats(0.05, 2))
def test_it_is_the_tail_of_the_log_normal(limit_s: float, mean: float, sd: float) -> None:
    (p,) = late(limit_s, np.array([mean]), np.array([sd**2]))
    assert p == pytest.approx(float(lognorm.sf(limit_s, sd, scale=np.exp(mean))), abs=1e-9)


def test_a_model_that_is_late_more_often_than_expected_is_expected_to_be() -> None:
    rng, known = np.random.default_rng(0), Calibration(0.0, 0.0)
    for _ in range(2000):
        known = known.after(0.05, was_late=bool(rng.random() < 0.15))
    (p, untold) = calibrated(np.array([0.05, 0.05]), [known, Calibration(0.0, 0.0)])
    assert p == pytest.approx(0.15, abs=0.06)
    assert untold == pytest.approx(0.05)


@given(p=st.floats(0, 1), expected=st.floats(0, 200), seen=st.floats(0, 200))
def test_a_chance_stays_one(p: float, expected: float, seen: float) -> None:
    (found,) = calibrated(np.array([p]), [Calibration(expected, seen)])
    assert 0.0 <= found <= 1.0
    if p in (0.0, 1.0):
        assert found == p


@pytest.mark.parametrize("epsilon", [0.01, 0.05, 0.2])
def test_a_rare_cost_is_paced_to_its_share(epsilon: float) -> None:
    """Two models: the better one is late with .5, the other never; a price decides which one serves."""
    rng = np.random.default_rng(1)
    pacer = Pacer(epsilon, pacing_for(epsilon))
    lates: list[bool] = []
    for _ in range(6000):
        gain = rng.exponential(0.1)
        take = gain > float(pacer.shadow_price) * 0.5 / epsilon
        lates.append(bool(take and rng.random() < 0.5))
        pacer.spend(float(lates[-1]))
    assert np.mean(lates) == pytest.approx(epsilon, rel=0.15)
    assert max(np.convolve(lates, np.ones(1000) / 1000, "valid")) < 2.0 * epsilon + 0.01


def test_what_is_under_way_raises_the_price_before_it_is_late() -> None:
    pacer = Pacer(0.05, pacing_for(0.05))
    for _ in range(3000):
        pacer.spend(0.0)
    calm = float(pacer.shadow_price)
    for _ in range(60):
        pacer.expect(1.0)
    assert float(pacer.shadow_price) > 10 * calm
    for _ in range(60):
        pacer.spend(0.0, 1.0)
    assert float(pacer.shadow_price) <= calm * 1.01
