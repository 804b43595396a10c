"""When a best model is known: never by a doubt that is too small, and not back and forth."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from banditroute.learning.knowing import Known, averaged, is_known, leader


@given(
    worth=st.lists(st.floats(-1, 1), min_size=2, max_size=5),
    width=st.floats(0.01, 0.5),
    tolerance=st.floats(0, 0.2),
    seed=st.integers(0, 50),
)
def test_the_doubt_bounds_the_chance_that_another_is_better(
    worth: list[float], width: float, tolerance: float, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    mean = np.array(worth)
    sd = width * rng.uniform(0.2, 1.0, mean.size)
    found = leader(mean, sd, np.ones(mean.size, np.bool_), tolerance)
    score = mean + sd * rng.standard_normal((4_000, mean.size))
    better = (np.delete(score, found.arm, 1) > score[:, [found.arm]] + tolerance).any(1).mean()
    assert mean[found.arm] == mean.max()
    assert better <= found.doubt + 0.035  # more than four standard errors


def test_who_may_not_serve_neither_leads_nor_raises_doubt() -> None:
    worth, sd = np.array([0.9, 0.5, 0.2]), np.full(3, 0.1)
    found = leader(worth, sd, np.array([False, True, True]), 0.0)
    assert int(found.arm) == 1
    assert found.doubt == pytest.approx(0.0169, abs=1e-4)
    assert leader(worth, sd, np.array([False, False, True]), 0.0).doubt == 0.0


def test_arrays_are_each_by_itself() -> None:
    rng = np.random.default_rng(0)
    worth, sd, eligible = rng.random((6, 4)), rng.uniform(0.05, 0.2, (6, 4)), rng.random((6, 4)) < 0.8
    eligible[:, 0] = True
    many = leader(worth, sd, eligible, 0.01)
    for row in range(6):
        one = leader(worth[row], sd[row], eligible[row], 0.01)
        assert (many.arm[row], many.doubt[row]) == (one.arm, pytest.approx(one.doubt))


def test_found_and_lost_at_different_doubts() -> None:
    terms = Known(confidence=0.9, lost=2.0)
    doubt = np.array([0.05, 0.15, 0.25])
    assert is_known(np.zeros(3, np.bool_), doubt, terms).tolist() == [True, False, False]
    assert is_known(np.ones(3, np.bool_), doubt, terms).tolist() == [True, True, False]


def test_the_average_follows_what_is_new() -> None:
    average = np.asarray(1.0)
    for _ in range(96):
        average = averaged(average, np.asarray(0.0), 32.0)
    assert average == pytest.approx(np.exp(-3.0), rel=0.1)
