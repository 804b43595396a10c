"""The models' load: calls are counted, and what they do to forecasts is learned from calls on record."""

import numpy as np
import pytest

from banditroute.records import Attempt, Context, Decision, Demand, Outcome, Usage
from banditroute.routing.catalog import Capabilities, Catalog, Model, Price
from banditroute.routing.decider import Decider
from banditroute.routing.lessons import IN_FLIGHT, Lesson, lessons_of, load_inputs
from banditroute.routing.load import Busy, Load
from banditroute.storage.packing import sums_of, unpacked

CATALOG = Catalog(
    tuple(Model(name, "p", name, Price(1.0, 1.0), Capabilities(max_output_tokens=100)) for name in ("a", "b"))
)


def busy_lessons(model: str, calls: int = 200, concurrency: float = 10.0) -> list[Lesson]:
    """Calls of a model that needs (1 + n / concurrency) seconds beside n others."""
    rng = np.random.default_rng(0)
    found: list[Lesson] = []
    for in_flight in rng.integers(0, 50, calls).tolist():
        log_s = float(np.log(1 + in_flight / concurrency) + rng.normal(0, 0.1))
        found.append(Lesson("qa", model, IN_FLIGHT, load_inputs(in_flight), (None, None, log_s, None)))
    return found


def decided(decider: Decider) -> Decision:
    demand = Demand(10, max_latency_s=100.0)
    return decider.decide(Context("qa", input_tokens=10), demand, decision_id="d", now=0.0, u=0.5)


def test_calls_are_counted_until_they_end() -> None:
    load = Load(("a", "b"))
    assert [load.began("a") for _ in range(3)] == [0, 1, 2]
    assert load.ended("a", 2) == Busy(2, 1.0, 1.0)
    assert load.began("a") == 2
    for _ in range(3):
        load.ended("a", 0)
    assert (dict(load.in_flight), load.felt) == ({}, False)


def test_a_busy_model_is_expected_to_be_slow_and_the_other_is_not() -> None:
    decider = Decider(CATALOG, ("qa",))
    for lesson in busy_lessons("a"):
        decider.take(lesson)
    idle = decided(decider).forecasts
    for _ in range(20):
        decider.beliefs.load.began("a")
    busy = decided(decider).forecasts
    assert busy["a"].latency_s / idle["a"].latency_s == pytest.approx(3.0, rel=0.1)
    assert busy["b"].latency_s == idle["b"].latency_s
    assert decider.beliefs.load.concurrency()["a"] == pytest.approx(10.0, rel=0.2)


def test_a_call_ends_with_what_is_believed_of_its_load_by_then() -> None:
    load = Load(("a",))
    for _ in range(13):
        others = load.began("a")
    for lesson in busy_lessons("a"):
        load.take(lesson)
    busy = load.ended("a", others)
    assert (busy.in_flight, busy.slowdown) == (12, pytest.approx(2.2, rel=0.1))


def test_it_is_restored_from_what_a_store_sums_up_and_handed_on_with_its_counts() -> None:
    before = Decider(CATALOG, ("qa",))
    lessons = busy_lessons("a")
    for lesson in lessons:
        before.take(lesson)
    before.beliefs.load.began("a")
    restored, heir = Decider(CATALOG, ("qa",)), Decider(CATALOG, ("qa",))
    restored.restore({edge: unpacked(sums) for edge, sums in sums_of(lessons).items()}, ())
    heir.inherit(before)
    before.refresh()
    for each in (restored, heir):
        assert each.beliefs.load.concurrency() == pytest.approx(before.beliefs.load.concurrency())
    assert (dict(restored.beliefs.load.in_flight), dict(heir.beliefs.load.in_flight)) == ({}, {"a": 1})
    before.beliefs.load.ended("a", 0)
    assert not heir.beliefs.load.in_flight


def outcome_of(attempt: Attempt) -> Outcome:
    return Outcome("d", attempt.model, 1.0, Usage(10, 20), 0.0, attempt.duration_s + 1.0, attempts=(attempt,))


def test_an_outcome_teaches_idle_seconds_and_how_long_it_took_beside_others() -> None:
    decision = decided(Decider(CATALOG, ("qa",)))
    attempt = Attempt("a", 8.0, in_flight=12, slowdown=4.0, ttft_slowdown=2.0, ttft_s=1.0)
    idle, beside = lessons_of(decision, outcome_of(attempt))
    assert idle.values[2:] == pytest.approx((np.log(2.0), np.log(0.5)))
    assert (beside.encoder_version, beside.x, beside.values[:2]) == (IN_FLIGHT, load_inputs(12), (None, None))
    assert beside.values[2:] == pytest.approx((np.log(8.0), 0.0))


def test_an_outcome_of_an_older_version_teaches_what_it_did() -> None:
    decision = decided(Decider(CATALOG, ("qa",)))
    (only,) = lessons_of(decision, outcome_of(Attempt("a", 8.0)))
    assert only.values == pytest.approx((None, np.log(20), np.log(8.0), None))
