from __future__ import annotations

import pytest

from banditroute.delivery.retry import RetryBudget, backoff_s, may_pass_at_once
from banditroute.delivery.settings import Retrying
from banditroute.errors import (
    BrokenReplyError,
    ConnectionFailedError,
    ContextOverflowError,
    CutStreamError,
    KeyRefusedError,
    OverloadedError,
    ProviderError,
    QuotaSpentError,
    RateLimitedError,
    RejectedError,
    ServerFailedError,
    TimedOutError,
)

SETTINGS = Retrying(base_s=0.5, cap_s=8.0)


@pytest.mark.parametrize(("attempt", "ceiling_s"), [(0, 0.5), (1, 1.0), (4, 8.0), (5, 8.0), (100_000, 8.0)])
def test_the_ceiling_doubles_up_to_its_cap_and_all_of_it_is_jitter(attempt: int, ceiling_s: float) -> None:
    assert backoff_s(attempt, 0.0, SETTINGS) == 0.0
    assert backoff_s(attempt, 0.5, SETTINGS) == ceiling_s / 2


def test_jitter_comes_on_top_of_what_the_provider_asks() -> None:
    assert backoff_s(0, 0.0, SETTINGS, floor_s=17.0) == 17.0
    assert backoff_s(1, 0.5, SETTINGS, floor_s=17.0) == 17.5
    assert backoff_s(1, 0.5, SETTINGS, floor_s=-3.0) == 0.5


@pytest.mark.parametrize(
    ("error", "worth_it"),
    [
        (ConnectionFailedError("reset"), True),
        (ServerFailedError("oops", status=500), True),
        (ServerFailedError("bad gateway", status=502), True),
        (ServerFailedError("an event in a stream"), True),
        (ServerFailedError("oops", status=500, retry_after_s=3.0), False),
        (ServerFailedError("gateway timeout", status=504), False),
        (OverloadedError("unavailable", status=503), True),
        (OverloadedError("unavailable", status=503, retry_after_s=1.0), False),
        (OverloadedError("overloaded", status=529), False),
        (CutStreamError("ended early"), True),
        (BrokenReplyError("garbage"), False),
        (TimedOutError("first_token", 60.0), False),
        (RateLimitedError("slow down", status=429), False),
        (KeyRefusedError("who?", status=401), False),
        (QuotaSpentError("pay", status=402), False),
        (ContextOverflowError("too long", status=400), False),
        (RejectedError("no", status=400), False),
        (ServerFailedError("oops", status=500, retry=False), False),
        (ConnectionFailedError("reset", retry=False), False),
        (RejectedError("conflict", status=409, retry=True), True),
        (RateLimitedError("slow down", status=429, retry=True), False),
    ],
    ids=str,
)
def test_what_may_pass_at_once(error: ProviderError, worth_it: bool) -> None:
    assert may_pass_at_once(error) is worth_it


def test_light_traffic_may_retry_and_heavy_traffic_a_share() -> None:
    budget = RetryBudget(Retrying(budget_ratio=0.2, budget_floor=3))
    assert [budget.withdraw() for _ in range(4)] == [True, True, True, False]
    for _ in range(10):
        budget.request()
    assert [budget.withdraw() for _ in range(3)] == [True, True, False]


def test_a_long_quiet_time_saves_up_no_storm() -> None:
    budget = RetryBudget(Retrying(budget_ratio=0.1, budget_floor=10))
    for _ in range(1_000_000):
        budget.request()
    assert sum(budget.withdraw() for _ in range(1000)) == 110


def test_a_ratio_of_nothing_leaves_the_floor() -> None:
    budget = RetryBudget(Retrying(budget_ratio=0.0, budget_floor=0))
    budget.request()
    assert not budget.withdraw()
