"""What is summed up of a log as it streams by: bounded, in any order, and true to the rows."""

import asyncio
import math
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from banditroute.records import Feedback
from banditroute.reports.store.bins import MOST_BINS, Bins
from banditroute.reports.store.gathering import Gathering, gathered
from banditroute.reports.store.history import History, wilson
from banditroute.reports.store.quantiles import Quantiles
from banditroute.storage.protocol import Trail
from banditroute.testing.store_records import NOON, a_dispatch, a_settlement

DAY_S = 86_400


def a_trail(
    number: int,
    *,
    at: float = NOON,
    task: str = "qa",
    served: str | None = "small",
    cost_usd: float = 0.001,
    judged: Sequence[float] = (),
    latency_s: float = 1.0,
) -> Trail:
    """A decision for "small"; served by nobody where empty, and without an outcome where None."""
    dispatch = a_dispatch(number)
    context = replace(dispatch.decision.context, task=task)
    dispatch = replace(dispatch, decision=replace(dispatch.decision, at=at, chosen="small", context=context))
    if served is None:
        return Trail(dispatch)
    outcome = replace(
        a_settlement(dispatch).outcome,
        served=served,
        ok=bool(served),
        cost_usd=cost_usd,
        latency_s=latency_s,
        attempts=(),
    )
    feedback = tuple(Feedback(dispatch.decision.decision_id, q, f"s{n}", at, 0.5) for n, q in enumerate(judged))
    return Trail(dispatch, outcome, (), feedback)


def history_of(trails: Iterable[Trail]) -> History:
    gathering = Gathering()
    for trail in trails:
        gathering.add(trail)
    return gathering.history()


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(0, 4e9), min_size=1, max_size=60))
def test_bins_are_few_and_hold_every_instant(instants):
    bins = Bins()
    for at in instants:
        bins.at(at).requests += 1
    start, found = bins.span()
    assert len(found) <= MOST_BINS
    assert sum(each.requests for each in found) == len(instants)
    assert start <= min(instants)
    assert max(instants) < start + len(found) * bins.width_s
    for place, each in enumerate(found):
        inside = [at for at in instants if int((at - start) // bins.width_s) == place]
        assert each.requests == len(inside)


@given(st.lists(st.floats(1.7e9, 1.8e9), min_size=1, max_size=30), st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(instants, chance):
    trails = [a_trail(n, at=at) for n, at in enumerate(instants)]
    one = history_of(trails)
    chance.shuffle(trails)
    other = history_of(trails)
    assert one.bin_s == other.bin_s
    assert one.requests.tolist() == other.requests.tolist()


def test_bins_grow_from_minutes_to_days():
    widths = {span: history_of([a_trail(0), a_trail(1, at=NOON + span)]).bin_s for span in (60, DAY_S, 40 * DAY_S)}
    assert widths == {60: 60, DAY_S: 3_600, 40 * DAY_S: 43_200}


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(0.001, 1e4), min_size=1, max_size=80), st.sampled_from([0.5, 0.95]))
def test_quantiles_are_within_a_percent(values, share):
    sketch = Quantiles()
    for value in values:
        sketch.add(value)
    exact = sorted(values)[math.ceil(share * len(values)) - 1]
    assert sketch.at(share) == pytest.approx(exact, rel=0.0101)


def test_quantiles_of_nothing_and_of_nonsense():
    sketch = Quantiles()
    assert math.isnan(sketch.at(0.5))
    sketch.add(0.0)
    sketch.add(math.inf)
    assert sketch.at(0.5) < 0.001
    assert sketch.at(1.0) > 1e5


@given(st.integers(1, 5000), st.floats(0, 1))
def test_wilson_holds_the_mean_inside_the_unit_interval(number, mean):
    low, high = wilson(np.array([mean]), np.array([number]))
    assert 0 <= low[0] <= mean + 1e-12
    assert mean - 1e-12 <= high[0] <= 1
    assert low[0] < high[0]


def test_wilson_by_hand():
    low, high = wilson(np.array([1.0, np.nan]), np.array([10, 0]))
    assert low[0] == pytest.approx(0.7225, abs=1e-4)
    assert high[0] == pytest.approx(1.0)
    assert np.isnan([low[1], high[1]]).all()


def test_models_dollars_and_judgements_add_up():
    history = history_of(
        [
            a_trail(0, cost_usd=0.001, judged=(1.0, 0.5)),
            a_trail(1, cost_usd=0.003, judged=(0.0,), task="code"),
            a_trail(2, served="large", cost_usd=0.02, latency_s=4.0),
            a_trail(3, served="", cost_usd=0.0005),
            a_trail(4, served=None),
            a_trail(5, task="judge:strict", cost_usd=0.25),
        ]
    )
    assert (history.requests.sum(), history.answered.sum(), history.failed.sum()) == (5, 4, 1)
    assert history.spent_usd.sum() == pytest.approx(0.0245)
    assert history.judging_usd.sum() == 0.25
    assert history.mean_quality == pytest.approx(0.375)
    small, large = history.models
    assert (small.model, small.chosen, small.served, small.stood_in) == ("small", 5, 2, 0)
    assert (large.model, large.chosen, large.served, large.stood_in) == ("large", 0, 1, 1)
    assert small.usd_per_answer == pytest.approx(0.002)
    assert small.quality == pytest.approx(0.375)
    assert math.isnan(large.quality)
    assert large.latency_p95_s == pytest.approx(4.0, rel=0.01)
    assert history.shares == {"qa": {"small": 1, "large": 1}, "code": {"small": 1}}
    assert [(each.source, each.judged, each.calls) for each in history.sources] == [
        ("s0", 2, 0),
        ("s1", 1, 0),
        ("strict", 0, 1),
    ]


def test_failed_calls_count_for_the_model_that_failed():
    dispatch = a_dispatch(2)
    history = history_of([Trail(dispatch, a_settlement(dispatch).outcome)])
    failed = {record.model: record.failed for record in history.models}
    assert failed == {"small": 0, "large": 1}


def test_a_log_is_read_as_it_streams():
    async def trails() -> AsyncIterator[Trail]:
        for number in range(3):
            yield a_trail(number)

    assert asyncio.run(gathered(trails())).requests.sum() == 3


def test_nothing_on_record():
    history = history_of([])
    assert history.requests.size == 0
    assert math.isnan(history.mean_quality)
    assert math.isnan(history.usd_per_request)
