from banditroute.delivery.limits import Limits
from banditroute.delivery.settings import Timeouts

NEVER = float("inf")
TIMES = Timeouts(whole_s=30.0, first_token_s=10.0, between_chunks_s=5.0, total_s=60.0)


def test_each_phase_has_its_own_limit() -> None:
    limits = Limits(100.0, TIMES, NEVER)
    assert limits.first == (110.0, "first_token", 100.0)
    assert limits.whole == (130.0, "whole", 100.0)
    assert limits.next(130.0) == (135.0, "between_chunks", 130.0)
    assert limits.end == (160.0, "total", 100.0)


def test_the_total_bounds_every_phase() -> None:
    assert Limits(100.0, Timeouts(first_token_s=90.0, total_s=60.0), NEVER).first == (160.0, "total", 100.0)
    assert Limits(100.0, TIMES, NEVER).next(158.0) == (160.0, "total", 100.0)


def test_the_callers_deadline_bounds_every_phase_under_its_own_name() -> None:
    limits = Limits(100.0, TIMES, 104.0)
    assert limits.first == limits.whole == limits.next(101.0) == limits.end == (104.0, "deadline", 100.0)


def test_an_error_names_the_limit_and_the_wait() -> None:
    error = Limits(100.0, TIMES, NEVER).next(120.0).error(125.5)
    assert (error.phase, error.waited_s) == ("between_chunks", 5.5)
