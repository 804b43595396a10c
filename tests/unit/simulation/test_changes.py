"""What events do to a table, and for how long."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from banditroute.simulation.changes import changed, moved_to, with_newcomers, without
from banditroute.simulation.scenario import (
    AddEvent,
    Event,
    LatencyEvent,
    OutageEvent,
    PriceEvent,
    QualityEvent,
    RemoveEvent,
)
from banditroute.simulation.table import OutcomeTable

BuildTable = Callable[..., OutcomeTable]


def means(table: OutcomeTable, events: list[Event], now: int) -> tuple[list[float], list[float]]:
    there = changed(table, events, now)
    return there.quality.mean(0).tolist(), there.cost_usd.mean(0).tolist()


def test_an_event_holds_until_the_next_of_its_kind_on_its_model(plain: OutcomeTable) -> None:
    events = [
        PriceEvent(at=30, model="large", factor=1.0),
        PriceEvent(at=10, model="large", factor=0.1),
        PriceEvent(at=20, model="small", factor=3.0),
        QualityEvent(at=20, model="large", shift=-0.25),
        PriceEvent(at=25, model="large", factor=0.5),
    ]
    assert means(plain, events, 9) == (pytest.approx([0.5, 0.9]), pytest.approx([1e-4, 1e-2]))
    assert means(plain, events, 10) == (pytest.approx([0.5, 0.9]), pytest.approx([1e-4, 1e-3]))
    assert means(plain, events, 20) == (pytest.approx([0.5, 0.65]), pytest.approx([3e-4, 1e-3]))
    assert means(plain, events, 25) == (pytest.approx([0.5, 0.65]), pytest.approx([3e-4, 5e-3])), "of the table's price"
    assert means(plain, events, 199) == (pytest.approx([0.5, 0.65]), pytest.approx([3e-4, 1e-2]))


def test_a_shift_of_nothing_restores_the_table_to_the_last_bit(plain: OutcomeTable) -> None:
    events = [QualityEvent(at=1, model="large", set=0.1), QualityEvent(at=2, model="large", shift=0.0)]
    np.testing.assert_array_equal(changed(plain, events, 2).quality, plain.quality)


def test_shifts_are_clipped(plain: OutcomeTable) -> None:
    assert means(plain, [QualityEvent(at=0, model="large", shift=0.4)], 0)[0] == [0.5, 1.0]
    assert means(plain, [QualityEvent(at=0, model="large", shift=-2.0)], 0)[0] == [0.5, 0.0]


def test_latency_is_multiplied(plain: OutcomeTable) -> None:
    slow = changed(plain, [LatencyEvent(at=3, model="small", factor=2.5)], 3)
    np.testing.assert_allclose(slow.latency_s.mean(0), [2.5, 1.0])


def test_a_model_that_is_out_is_back_by_itself_and_one_that_is_removed_is_not(plain: OutcomeTable) -> None:
    events = [
        OutageEvent(at=10, model="small", until=20),
        OutageEvent(at=12, model="small", until=15),
        RemoveEvent(at=30, model="small"),
        AddEvent(at=40, model="small"),
    ]
    there = [bool(changed(plain, events, now).observed[:, 0].all()) for now in (9, 10, 16, 20, 30, 39, 40)]
    assert there == [True, False, False, True, False, False, True]


def test_a_model_that_is_added_is_absent_before(plain: OutcomeTable) -> None:
    events = [AddEvent(at=10, model="large"), RemoveEvent(at=20, model="large")]
    there = [bool(changed(plain, events, now).observed[:, 1].any()) for now in (0, 9, 10, 19, 20)]
    assert there == [False, False, True, True, False]


def test_a_newcomer_copies_a_model_at_its_own_quality_and_price(build_table: BuildTable) -> None:
    rng = np.random.default_rng(0)
    quality, cost = rng.random((100, 2)), rng.random((100, 2)) * 1e-3
    quality[:30, 1] = cost[:30, 1] = np.nan
    table = build_table(quality, cost, models=("small", "large"))
    like, worse = (
        AddEvent(at=1, model="a", like="large"),
        AddEvent(at=1, model="b", like="large", quality=0.2, cost_factor=0.1),
    )
    wide = with_newcomers(table, [like, worse])
    assert wide.models == ("small", "large", "a", "b")
    np.testing.assert_array_equal(wide.quality[:, 2], quality[:, 1])
    np.testing.assert_array_equal(wide.cost_usd[:, 2], cost[:, 1])
    assert np.nanmean(wide.quality[:, 3]) == pytest.approx(0.2)
    np.testing.assert_allclose(wide.cost_usd[:, 3], cost[:, 1] * 0.1)
    assert (wide.observed[:, 3] == table.observed[:, 1]).all()


def test_models_that_are_left_out_are_observed_nowhere(plain: OutcomeTable) -> None:
    rest = without(plain, ["large", "never there"])
    assert rest.models == plain.models
    assert rest.observed.tolist() == [[True, False]] * 200
    assert np.isnan(rest.latency_s[:, 1]).all()


@given(st.lists(st.floats(0.0, 1.0), min_size=1, max_size=30), st.floats(0.0, 1.0))
def test_a_mean_is_reached_in_spite_of_clipping_and_order_is_kept(qualities: list[float], mean: float) -> None:
    before = np.array([*qualities, np.nan])
    after = moved_to(before, mean)
    assert np.nanmean(after) == pytest.approx(mean, abs=1e-9)
    assert np.isnan(after[-1])
    assert ((after[:-1] >= 0) & (after[:-1] <= 1)).all()
    assert (np.diff(after[:-1][np.argsort(before[:-1], kind="stable")]) >= 0).all()


def test_what_is_observed_nowhere_has_no_mean_to_move() -> None:
    assert np.isnan(moved_to(np.full(3, np.nan), 0.5)).all()
