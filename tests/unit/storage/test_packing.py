from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from banditroute.errors import StoreError
from banditroute.learning.evidence import Evidence, empty, observe
from banditroute.routing.lessons import SIGNALS, Edge, Lesson
from banditroute.storage.packing import length_of, packed, sums_of, unpacked, width_of

values = st.none() | st.floats(-10, 10)


@st.composite
def lessons(draw: st.DrawFn) -> list[Lesson]:
    width = draw(st.integers(1, 6))
    x = st.lists(st.floats(-10, 10), min_size=width, max_size=width).map(tuple)
    one = st.builds(
        Lesson, st.sampled_from("ab"), st.sampled_from("mn"), st.just("v"), x, st.tuples(values, values, values, values)
    )
    return draw(st.lists(one, max_size=12))


@given(lessons())
def test_sums_are_those_of_the_learning_core(taught: list[Lesson]) -> None:
    expected: dict[Edge, Evidence] = {}
    for lesson in taught:
        for signal, value in zip(SIGNALS, lesson.values, strict=True):
            if value is not None:
                edge = Edge(lesson.task, lesson.model, signal, "v")
                observe(expected.setdefault(edge, empty((), len(lesson.x))), (), np.array(lesson.x), value)
    found = sums_of(taught)
    assert set(found) == set(expected)
    for edge, sums in expected.items():
        np.testing.assert_allclose(found[edge], packed(sums), rtol=1e-12, atol=1e-9)


@given(st.integers(1, 30), st.integers(0, 2**32 - 1))
def test_packing_loses_nothing(width: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(7, width))
    evidence = Evidence(x.T @ x, x.sum(0), np.array(7.0), np.array(2.5))
    vector = packed(evidence)
    assert (vector.size, width_of(vector)) == (length_of(width), width)
    for mine, theirs in zip(unpacked(vector), evidence, strict=True):
        np.testing.assert_array_equal(mine, theirs)


@pytest.mark.parametrize("length", [0, 1, 3, 5, 8, 100])
def test_a_vector_that_fits_no_width_is_damage(length: int) -> None:
    with pytest.raises(StoreError, match="damaged"):
        width_of(np.zeros(length))


def test_nothing_seen_adds_nothing() -> None:
    lesson = Lesson("a", "m", "v", (1.0, 2.0), (None, None, None, None))
    assert sums_of([lesson]) == {}
    assert set(sums_of([lesson, replace(lesson, values=(None, 1.0, None, None))])) == {
        Edge("a", "m", "log_tokens", "v")
    }
