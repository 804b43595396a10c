from __future__ import annotations

from banditroute.delivery.hedge import HedgeClock
from banditroute.delivery.settings import Hedging

EAGER = Hedging(share=0.05, quantile=0.95, least_calls=50)


def clock(settings: Hedging = EAGER, requests: int = 1000, calls: int = 100) -> HedgeClock:
    """A clock that knows calls of 1, 2, ... hundredths of a second."""
    made = HedgeClock(settings)
    for _ in range(requests):
        made.request()
    for call in range(calls):
        made.seen("small", (call + 1) / 100)
    return made


def test_it_waits_for_what_most_calls_stay_within() -> None:
    assert clock().wait_s("small") == 0.95


def test_off_means_never() -> None:
    off = clock(Hedging())
    assert off.wait_s("small") is None
    assert not off.hedged()


def test_too_few_calls_say_nothing() -> None:
    assert clock(calls=49).wait_s("small") is None
    assert clock(calls=50).wait_s("small") == 0.48
    assert clock().wait_s("large") is None


def test_the_quantile_follows_the_latest_calls() -> None:
    moving = clock()
    assert moving.wait_s("small") == 0.95
    for _ in range(600):
        moving.seen("small", 7.0)
    assert moving.wait_s("small") == 7.0


def test_the_share_is_a_cap_also_for_those_who_asked_before() -> None:
    full = clock(requests=40)
    assert full.wait_s("small") == 0.95
    assert [full.hedged() for _ in range(3)] == [True, True, False]
    assert full.wait_s("small") is None
    for _ in range(20):
        full.request()
    assert full.hedged()
