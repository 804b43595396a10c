from __future__ import annotations

import numpy as np
import pytest

from banditroute.learning.selection import best_arm_probabilities, draw, draw_each, exploration_floor, mixed


def test_equal_arms_share_evenly() -> None:
    np.testing.assert_allclose(best_arm_probabilities(np.full(5, 0.8), np.full(5, 0.1)), 0.2, atol=1e-12)


@pytest.mark.parametrize("level", [0.0, 0.5, -3.0, 1e6])
def test_certain_arms_leave_nothing_to_chance(level: float) -> None:
    mean, sd = level + np.array([0.0, 0.0, -0.25]), np.zeros(3)
    np.testing.assert_array_equal(best_arm_probabilities(mean, sd), [0.5, 0.5, 0.0])


@pytest.mark.parametrize("sd", [0.0, 1e-18, 0.3])
def test_one_arm_is_always_best(sd: float) -> None:
    np.testing.assert_array_equal(best_arm_probabilities(np.array([0.7]), np.array([sd])), [1.0])


def test_one_eligible_arm_is_always_best_however_bad() -> None:
    eligible = np.array([False, True, False])
    p = best_arm_probabilities(np.array([0.9, -5.0, 0.8]), np.full(3, 0.1), eligible)
    np.testing.assert_array_equal(p, [0.0, 1.0, 0.0])


def test_a_certain_arm_against_an_uncertain_one_of_the_same_mean_is_a_coin() -> None:
    np.testing.assert_allclose(best_arm_probabilities(np.full(2, 0.7), np.array([0.0, 0.2])), 0.5, atol=1e-6)


def test_an_arm_out_of_reach_gets_nothing() -> None:
    np.testing.assert_array_equal(best_arm_probabilities(np.array([0.9, 0.1]), np.full(2, 0.01)), [1.0, 0.0])


def test_an_uncertain_arm_of_lower_mean_may_be_best() -> None:
    p = best_arm_probabilities(np.array([0.8, 0.7]), np.array([0.01, 0.2]))
    assert 0.2 < p[1] < 0.4


def test_no_eligible_arm_is_an_error() -> None:
    with pytest.raises(ValueError, match="no arm is eligible"):
        best_arm_probabilities(np.zeros(2), np.ones(2), np.zeros(2, dtype=np.bool_))


EVERY = np.ones(3, dtype=np.bool_)
LOOSE = {"decisions": 0.03, "dollars": np.inf, "quality": np.inf}


def test_a_floor_bound_by_decisions_is_even() -> None:
    np.testing.assert_allclose(exploration_floor(EVERY, np.zeros(3), np.zeros(3), **LOOSE), 0.01)


def test_a_dear_arm_is_floored_by_dollars() -> None:
    floor = exploration_floor(EVERY, np.zeros(3), np.array([0.1, 1.0, 500.0]), **{**LOOSE, "dollars": 0.01})
    np.testing.assert_allclose(floor, [0.01, 0.01 / 3, 0.01 / 1500])


def test_a_bad_arm_is_floored_by_quality() -> None:
    floor = exploration_floor(EVERY, np.array([0.0, 0.001, 0.5]), np.zeros(3), **{**LOOSE, "quality": 1e-4})
    np.testing.assert_allclose(floor, [0.01, 0.01, 1e-4 / 1.5])


def test_ineligible_arms_have_no_floor_and_no_part_in_its_split() -> None:
    eligible, gap = np.array([True, False, True]), np.array([0.0, np.inf, 0.0])
    np.testing.assert_allclose(exploration_floor(eligible, gap, np.zeros(3), **LOOSE), [0.015, 0.0, 0.015])


def test_floors_of_replications_are_those_of_each_alone() -> None:
    rng = np.random.default_rng(0)
    eligible, gap, share = rng.random((6, 4)) < 0.7, rng.random((6, 4)), rng.gamma(0.3, 10, (6, 4))
    bounds = {"decisions": 0.05, "dollars": 0.01, "quality": 0.001}
    together = exploration_floor(eligible, gap, share, **bounds)
    for r in range(6):
        np.testing.assert_array_equal(together[r], exploration_floor(eligible[r], gap[r], share[r], **bounds))


def test_without_a_floor_the_mixture_is_the_propensity() -> None:
    p = np.array([0.2, 0.8])
    np.testing.assert_array_equal(mixed(p, np.zeros(2)), p)


@pytest.mark.parametrize(("u", "arm"), [(0.0, 1), (0.2499, 1), (0.25, 3), (0.9999, 3)])
def test_a_uniform_picks_by_cumulative_probability(u: float, arm: int) -> None:
    assert draw(np.array([0.0, 0.25, 0.0, 0.75, 0.0]), u) == arm


def test_the_floor_takes_a_draw_only_with_its_own_probability() -> None:
    scores = np.array([[0.1, 0.9, 0.5]] * 4)
    floor = np.array([[0.01, 0.0, 0.02]] * 4)
    u = np.array([0.0, 0.0099, 0.0101, 0.0301])
    assert draw_each(scores, floor, u).tolist() == [0, 0, 2, 1]


def test_an_ineligible_arm_is_never_drawn() -> None:
    scores = np.array([[-np.inf, 0.1, 0.5]] * 100)
    floor = np.array([[0.0, 0.01, 0.01]] * 100)
    assert 0 not in draw_each(scores, floor, np.linspace(0, 1, 100, endpoint=False))
