"""Probabilities brought within bounds keep their proportions where they may."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from banditroute.learning.selection import within

share = st.floats(0.0, 1.0)


@st.composite
def bounded(draw: st.DrawFn) -> tuple[list[float], list[float], list[float]]:
    arms = draw(st.integers(1, 6))
    p = draw(st.lists(share, min_size=arms, max_size=arms).filter(lambda values: sum(values) > 0.01))
    pairs = draw(st.lists(st.tuples(share, share), min_size=arms, max_size=arms))
    return [value / sum(p) for value in p], [min(pair) for pair in pairs], [max(pair) for pair in pairs]


@given(bounded())
def test_the_sum_is_one_and_feasible_bounds_are_kept(case: tuple[list[float], list[float], list[float]]) -> None:
    p, least, most = case
    found = within(p, least, most)
    assert sum(found) == pytest.approx(1.0)
    if sum(least) <= 1.0 <= sum(most):
        assert all(lo - 1e-9 <= value <= hi + 1e-9 for value, lo, hi in zip(found, least, most, strict=True))


@given(bounded())
def test_free_arms_keep_their_proportions(case: tuple[list[float], list[float], list[float]]) -> None:
    p, least, most = case
    found = within(p, least, most)
    free = [
        value / chance
        for value, chance, lo, hi in zip(found, p, least, most, strict=True)
        if lo + 1e-9 < value < hi - 1e-9 and chance > 1e-6
    ]
    if sum(least) < 1.0 < sum(most):
        assert all(ratio == pytest.approx(free[0], rel=1e-6) for ratio in free)


def test_bounds_that_do_not_bind_change_nothing() -> None:
    assert within([0.2, 0.5, 0.3], [0.0] * 3, [1.0] * 3) == pytest.approx([0.2, 0.5, 0.3])


def test_a_ceiling_gives_what_it_takes_to_the_others_in_proportion() -> None:
    assert within([0.6, 0.3, 0.1], [0.0] * 3, [0.2, 1.0, 1.0]) == pytest.approx([0.2, 0.6, 0.2])


def test_a_floor_takes_from_the_others_in_proportion() -> None:
    assert within([0.0, 0.75, 0.25], [0.2, 0.0, 0.0], [1.0] * 3) == pytest.approx([0.2, 0.6, 0.2])


def test_impossible_bounds_are_scaled() -> None:
    assert within([0.5, 0.5], [0.9, 0.9], [1.0, 1.0]) == pytest.approx([0.5, 0.5])
    assert within([0.5, 0.5], [0.0, 0.0], [0.1, 0.3]) == pytest.approx([0.25, 0.75])
