"""Tables of weights that stay the small integers that they are stored as."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from banditroute.prompts.rounded import Rounded, rounded


@given(seed=st.integers(0, 1_000), width=st.integers(1, 40), taken=st.integers(0, 60))
def test_sums_are_those_of_the_numbers_that_the_integers_stand_for(seed: int, width: int, taken: int) -> None:
    chance = np.random.default_rng(seed)
    integers = chance.integers(-31, 32, (50, width)).astype(np.int8)
    scale = chance.uniform(0.01, 2.0, width).astype(np.float32)
    buckets, values = chance.integers(0, 50, taken), chance.normal(size=taken).astype(np.float32)
    summed = Rounded.of(integers, scale).summed(buckets, values)
    assert summed.dtype == np.float32
    np.testing.assert_allclose(summed, values @ (integers * scale)[buckets], rtol=1e-4, atol=2e-3)


@pytest.mark.parametrize("order", ["C", "F"])
def test_integers_come_back_as_they_were_and_lie_row_after_row(order: str) -> None:
    integers = np.asarray(np.arange(-9, 9, dtype=np.int8).reshape(6, 3), order=order)  # type: ignore[call-overload]
    table = Rounded.of(integers, np.ones(3, dtype=np.float32))
    np.testing.assert_array_equal(table.integers, integers)
    assert table.width == 3
    assert table.rows.flags.c_contiguous


def test_rounding_is_off_by_half_a_step_at_most_but_where_far_out() -> None:
    table = np.random.default_rng(3).normal(size=(5_000, 4)).astype(np.float32)
    table[7] = 1_000.0
    integers, scale = rounded(table, 31.0)
    assert np.abs(integers).max() == 31
    near = np.abs(table) <= 31.0 * scale
    assert near.mean() == pytest.approx(0.999, abs=2e-4)
    assert (np.abs(integers * scale - table) <= 0.5001 * scale)[near].all()


def test_all_of_a_table_can_be_kept() -> None:
    table = np.array([0.0, 1.0, 254.0], dtype=np.float32)
    integers, scale = rounded(table, 127.0, kept=1.0)
    np.testing.assert_array_equal(integers, [0, 0, 127])
    assert scale == 2.0
