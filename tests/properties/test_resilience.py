"""Laws of retries, hedges and circuits."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from banditroute.delivery.breaker import Breaker
from banditroute.delivery.hedge import HedgeClock
from banditroute.delivery.retry import RetryBudget, backoff_s
from banditroute.delivery.settings import Breaking, Hedging, Retrying

traffic = st.lists(st.sampled_from(["request", "extra", "many requests"]), max_size=200)
chance = st.floats(0, 1, exclude_max=True)


@given(traffic, st.floats(0, 1), st.integers(0, 20))
def test_retries_stay_within_floor_and_share(events: list[str], ratio: float, floor: int) -> None:
    budget = RetryBudget(Retrying(budget_ratio=ratio, budget_floor=floor))
    requests = retries = 0
    for event in events:
        if event == "extra":
            retries += budget.withdraw()
        for _ in range({"request": 1, "extra": 0, "many requests": 50}[event]):
            budget.request()
            requests += 1
        assert retries <= floor + ratio * requests


@given(traffic, st.floats(0, 1))
def test_hedges_stay_within_their_share(events: list[str], share: float) -> None:
    clock = HedgeClock(Hedging(share=share, least_calls=1))
    clock.seen("small", 1.0)
    requests = hedges = 0
    for event in events:
        if event == "extra":
            advised = clock.wait_s("small") is not None
            made = clock.hedged()
            assert made is advised
            hedges += made
        for _ in range({"request": 1, "extra": 0, "many requests": 50}[event]):
            clock.request()
            requests += 1
        assert hedges <= share * requests


@given(st.integers(1, 100), st.floats(0.1, 1))
def test_an_unused_share_lets_the_next_one_through(requests: int, ratio: float) -> None:
    budget = RetryBudget(Retrying(budget_ratio=ratio, budget_floor=1))
    for _ in range(requests):
        budget.request()
    allowed = sum(budget.withdraw() for _ in range(300))
    assert allowed == pytest.approx(1 + ratio * requests, abs=1)


@given(st.integers(0, 10**6), chance, st.floats(0, 10), st.floats(0, 100), st.none() | st.floats(0, 600))
def test_a_wait_is_above_its_floor_and_below_its_cap(
    attempt: int, u: float, base_s: float, cap_s: float, floor_s: float | None
) -> None:
    wait_s = backoff_s(attempt, u, Retrying(base_s=base_s, cap_s=cap_s), floor_s)
    assert (floor_s or 0.0) <= wait_s <= (floor_s or 0.0) + cap_s


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["call", "answered", "failed", "left", "lost", "at home", "not at home"]), st.floats(0, 20)
        ),
        max_size=150,
    )
)
def test_one_probe_at_a_time_and_no_dead_end(events: list[tuple[str, float]]) -> None:
    """Calls come, end in any way and order, or never, and knocks: a circuit always lets the next one try in the end."""
    breaker, now = Breaker(Breaking(consecutive=2, window=4, open_s=1.0, most_open_s=8.0)), 0.0
    in_flight: list[int] = []  # the number of each that is a probe, else 0
    for event, passed in events:
        now += passed
        if event == "call":
            if breaker.refusal(now) is None:
                in_flight.append(breaker.begin(now))
                assert (in_flight[-1] > 0) is (breaker.state == "half_open")
                assert not in_flight[-1] or breaker.refusal(now) is not None
        elif event.endswith("at home"):
            breaker.knocked(now, event == "at home")
        elif in_flight:
            end(breaker, event, now, in_flight.pop(0))
        if breaker.state == "open":
            assert breaker.retry_at is not None
            assert breaker.retry_at <= now + 8.0
        assert 0.0 <= breaker.availability <= 1.0
    assert breaker.refusal(now + 1000.0) is None


def end(breaker: Breaker, how: str, now: float, probe: int) -> None:
    if how == "answered":
        breaker.succeeded(probe)
    elif how == "failed":
        breaker.failed(now, "ServerFailedError", probe)
    elif how == "left":
        breaker.abandoned(probe)
