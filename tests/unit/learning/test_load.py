"""How load slows a model: sums that add in any order, and a law that is read off them."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from banditroute.learning import load
from banditroute.learning.evidence import Evidence, empty, merged, observe_many

Floats = NDArray[np.float64]


def batched(in_flight: Floats) -> Floats:
    return 1.0 + in_flight / 10.0


def queued(in_flight: Floats) -> Floats:
    return np.maximum(1.0, (in_flight + 1.0) / 10.0)


def unmoved(in_flight: Floats) -> Floats:
    return np.ones_like(in_flight)


def sums(slowdown: Callable[[Floats], Floats], calls: int, seed: int = 0, noise_sd: float = 0.3) -> Evidence:
    """Calls of one model in two classes, one of which takes e times as long."""
    rng = np.random.default_rng(seed)
    in_flight = rng.poisson(rng.choice([2.0, 12.0, 40.0], calls)).astype(float)
    task = rng.integers(0, 2, calls)
    log_s = np.log(slowdown(in_flight)) + task + rng.normal(0.0, noise_sd, calls)
    evidence = empty((2, 1), load.KNOTS.size)
    inputs = np.stack([load.hats(each) for each in in_flight])
    observe_many(evidence, (task, np.zeros(calls, dtype=np.int64)), inputs, log_s)
    return evidence


def slowdowns(evidence: Evidence, *in_flight: float) -> list[float]:
    law = load.learned(evidence)
    return [float(np.exp(load.log_slowdown(law, np.array([each])).mean[0])) for each in in_flight]


@given(st.floats(0.0, 1e6))
def test_a_call_has_one_share_in_the_two_knots_around_its_load(in_flight: float) -> None:
    x = load.hats(in_flight)
    assert x.sum() == pytest.approx(1.0)
    assert np.count_nonzero(x) <= 2
    assert (x >= 0).all()
    if in_flight <= load.KNOTS[-1]:
        assert np.log1p(load.KNOTS) @ x == pytest.approx(np.log1p(in_flight))


@pytest.mark.parametrize(("slowdown", "within"), [(batched, 0.25), (queued, 0.4), (unmoved, 0.3)])
def test_the_law_is_found_and_goes_on_beyond_what_was_seen(slowdown: Callable[[Floats], Floats], within: float) -> None:
    in_flight = (0.0, 5.0, 20.0, 60.0, 100.0)
    expected = slowdown(np.array(in_flight))
    assert slowdowns(sums(slowdown, 800), *in_flight) == pytest.approx(expected, rel=within)


def test_concurrency_is_where_a_model_needs_twice_its_idle_time() -> None:
    (batch,) = load.concurrency(load.learned(sums(batched, 800)))
    (queue,) = load.concurrency(load.learned(sums(queued, 800)))
    (none,) = load.concurrency(load.learned(sums(unmoved, 800)))
    assert batch == pytest.approx(10.0, rel=0.2)
    assert queue == pytest.approx(19.0, rel=0.3)
    assert none > 150.0


def test_a_few_calls_bend_little() -> None:
    before, after = (slowdowns(each, 20.0)[0] for each in (empty((1, 1), load.KNOTS.size), sums(batched, 4)))
    assert 1.2 < before < 2.5
    assert after == pytest.approx(before, rel=0.7)
    assert slowdowns(empty((1, 1), load.KNOTS.size), 0.0) == pytest.approx([1.0])


def test_one_wild_call_does_not_undo_what_a_hundred_showed() -> None:
    evidence = sums(unmoved, 100)
    wild_log_s = np.array([5.0])  # 150 times as long
    observe_many(evidence, (np.array([0]), np.array([0])), load.hats(40.0)[None], wild_log_s)
    assert slowdowns(evidence, 40.0)[0] < 1.5


@given(st.integers(0, 50))
def test_halves_add_up_to_the_whole_in_any_order(seed: int) -> None:
    first, second = sums(batched, 40, seed), sums(queued, 30, seed + 1)
    one, other = load.learned(merged(first, second)), load.learned(merged(second, first))
    np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-12)


@given(st.lists(st.floats(0, 500), min_size=2, max_size=2))
def test_more_calls_in_flight_never_make_a_model_faster(pair: list[float]) -> None:
    low, high = sorted(pair)
    slow, slower = slowdowns(sums(queued, 60), low, high)
    assert slow <= slower * (1 + 1e-12)


def test_a_model_that_nothing_is_known_of_does_not_slow_down() -> None:
    assert load.log_slowdown(load.unknown(2), np.array([0.0, 100.0])).mean.tolist() == [0.0, 0.0]


def test_more_load_than_a_model_was_seen_to_bear_is_not_trusted() -> None:
    """Up to 10 calls nothing slows it; what 10 do is then known, what 40 would do is not, and 100 are worse."""
    evidence, rng = empty((1, 1), load.KNOTS.size), np.random.default_rng(0)
    inputs = np.stack([load.hats(each) for each in rng.integers(0, 11, 400).tolist()])
    none = np.zeros(400, dtype=np.int64)
    observe_many(evidence, (none, none), inputs, rng.normal(0.0, 0.2, 400))
    law = load.learned(evidence)
    known, beyond, far = (load.log_slowdown(law, np.array([each])) for each in (5.0, 40.0, 100.0))
    assert np.exp(known.mean[0]) < 1.1
    assert np.exp(beyond.mean[0]) > 1.3
    assert known.var[0] < beyond.var[0] < far.var[0]
