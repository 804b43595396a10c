from __future__ import annotations

import pytest

from banditroute.delivery.breaker import PROBE_LIMIT_S, Breaker, counts_against
from banditroute.delivery.settings import Breaking
from banditroute.errors import (
    BrokenEmbeddingsError,
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
    UnfitError,
)

SETTINGS = Breaking(consecutive=3, rate=0.5, window=10, open_s=5.0, most_open_s=60.0)


def opened(now: float = 100.0) -> Breaker:
    breaker = Breaker(SETTINGS)
    for _ in range(SETTINGS.consecutive):
        breaker.failed(now, "ServerFailedError", 0)
    return breaker


def probed(breaker: Breaker, now: float) -> int:
    probe = breaker.begin(now)
    assert probe
    return probe


@pytest.mark.parametrize(
    ("error", "counts"),
    [
        (ConnectionFailedError("refused"), True),
        (ServerFailedError("oops", status=500), True),
        (OverloadedError("busy", status=529), True),
        (BrokenReplyError("garbage"), True),
        (CutStreamError("ended early"), True),
        (KeyRefusedError("who?", status=401), True),
        (QuotaSpentError("pay", status=402), True),
        (TimedOutError("connect", 5.0), True),
        (TimedOutError("first_token", 60.0), True),
        (TimedOutError("between_chunks", 30.0), True),
        (TimedOutError("total", 600.0), True),
        (TimedOutError("deadline", 30.0), False),
        (TimedOutError("queue", 30.0), False),
        (RateLimitedError("slow down", status=429), False),
        (BrokenEmbeddingsError("garbage"), False),
        (UnfitError("no tools", status=400), False),
        (ContextOverflowError("too long", status=400), False),
        (RejectedError("no", status=400), False),
    ],
    ids=str,
)
def test_only_what_the_provider_does_counts(error: ProviderError, counts: bool) -> None:
    assert counts_against(error) is counts


def test_a_closed_circuit_lets_every_call_through_and_probes_nothing() -> None:
    breaker = Breaker(SETTINGS)
    assert breaker.refusal(0.0) is None
    assert breaker.begin(0.0) == 0
    assert (breaker.state, breaker.retry_at, breaker.why) == ("closed", None, "")


def test_failures_in_a_row_open_it_and_it_says_why() -> None:
    breaker = opened()
    assert breaker.state == "open"
    assert breaker.retry_at == 105.0
    assert breaker.refusal(101.8) == "circuit open for another 3.2 s after 3 failures in a row (ServerFailedError)"
    assert breaker.begin(101.8) == 0


def test_a_success_ends_the_row() -> None:
    breaker = Breaker(SETTINGS)
    for _ in range(10):
        breaker.succeeded(0)
    for _ in range(4):
        breaker.failed(0.0, "ServerFailedError", 0)
        breaker.succeeded(0)
    assert breaker.state == "closed"


def test_a_share_of_failures_opens_it_once_the_window_is_full() -> None:
    breaker = Breaker(SETTINGS)
    for answered in (False, True, False, True, False, True, False, True, True):
        if answered:
            breaker.succeeded(0)
        else:
            breaker.failed(0.0, "CutStreamError", 0)
    assert breaker.state == "closed"
    breaker.failed(0.0, "CutStreamError", 0)
    assert breaker.state == "open"
    assert breaker.why == "5 failures in 10 attempts (CutStreamError)"


def test_failures_leave_the_window_again() -> None:
    breaker = Breaker(SETTINGS)
    for _ in range(4):
        breaker.failed(0.0, "CutStreamError", 0)
        breaker.succeeded(0)
    for _ in range(8):
        breaker.succeeded(0)
    for _ in range(2):
        breaker.failed(0.0, "CutStreamError", 0)
    assert breaker.state == "closed"


def test_one_probe_at_a_time_and_its_success_closes_it() -> None:
    breaker = opened()
    assert breaker.refusal(105.0) is None
    probe = probed(breaker, 105.0)
    assert breaker.state == "half_open"
    assert breaker.refusal(105.1) == "being probed after 3 failures in a row (ServerFailedError)"
    assert breaker.begin(105.1) == 0
    breaker.succeeded(probe)
    assert breaker.state == "closed"
    assert breaker.refusal(105.2) is None


def test_a_closed_circuit_has_forgotten_what_opened_it() -> None:
    breaker = opened()
    probe = probed(breaker, 105.0)
    breaker.succeeded(probe)
    for _ in range(SETTINGS.consecutive - 1):
        breaker.failed(106.0, "ServerFailedError", 0)
    assert breaker.state == "closed"
    breaker.failed(106.0, "ServerFailedError", 0)
    assert breaker.retry_at == 111.0


def test_each_failed_probe_doubles_the_time_up_to_the_most() -> None:
    breaker, now, spans = opened(0.0), 0.0, []
    for _ in range(6):
        now = breaker.retry_at or 0.0
        probe = probed(breaker, now)
        breaker.failed(now, "TimedOutError", probe)
        spans.append((breaker.retry_at or 0.0) - now)
    assert spans == [10.0, 20.0, 40.0, 60.0, 60.0, 60.0]
    assert breaker.why == "a failed probe (TimedOutError)"


def test_a_success_sets_the_time_back() -> None:
    breaker = opened(0.0)
    probe = probed(breaker, 5.0)
    breaker.failed(5.0, "TimedOutError", probe)
    probe = probed(breaker, 15.0)
    breaker.succeeded(probe)
    for _ in range(SETTINGS.consecutive):
        breaker.failed(20.0, "ServerFailedError", 0)
    assert breaker.retry_at == 25.0


def test_calls_from_before_it_opened_do_not_move_it() -> None:
    breaker = opened()
    breaker.succeeded(0)
    breaker.failed(104.0, "TimedOutError", 0)
    assert breaker.retry_at == 105.0
    probed(breaker, 105.0)
    breaker.failed(106.0, "TimedOutError", 0)
    breaker.succeeded(0)
    breaker.abandoned(0)
    assert breaker.state == "half_open"
    assert breaker.refusal(106.0) is not None


def test_an_abandoned_probe_makes_room_for_another() -> None:
    breaker = opened()
    probe = probed(breaker, 105.0)
    breaker.abandoned(probe)
    assert breaker.state == "half_open"
    assert breaker.refusal(105.0) is None
    probe = probed(breaker, 105.0)


def test_a_probe_that_never_reports_is_given_up() -> None:
    breaker = opened()
    probed(breaker, 105.0)
    assert breaker.refusal(105.0 + PROBE_LIMIT_S - 0.1) is not None
    assert breaker.refusal(105.0 + PROBE_LIMIT_S) is None
    probed(breaker, 105.0 + PROBE_LIMIT_S)


def test_availability_is_the_share_of_late() -> None:
    breaker = Breaker(SETTINGS)
    assert breaker.availability == 1.0
    for _ in range(60):
        breaker.failed(0.0, "ServerFailedError", 0)
    assert breaker.availability < 0.01
    for _ in range(60):
        breaker.succeeded(0)
    assert breaker.availability > 0.99


def test_while_knocks_are_not_answered_nothing_is_tried() -> None:
    breaker = opened(100.0)
    breaker.knocked(101.0, False)
    assert breaker.refusal(106.0) == (
        "circuit open until its provider answers again, after 3 failures in a row (ServerFailedError)"
    )
    assert breaker.waits_for_knock(106.0)
    assert breaker.begin(106.0) == 0


def test_a_knock_that_is_answered_after_others_were_not_calls_for_a_probe_at_once() -> None:
    breaker = opened(100.0)
    breaker.knocked(100.5, False)
    breaker.knocked(101.0, True)
    assert breaker.refusal(101.0) is None
    probe = probed(breaker, 101.0)
    breaker.succeeded(probe)
    assert breaker.state == "closed"


def test_the_first_knock_being_answered_tells_nothing() -> None:
    breaker = opened(100.0)
    breaker.knocked(100.5, True)
    assert breaker.retry_at == 105.0


def test_a_provider_that_answers_no_knocks_is_tried_all_the_same_in_the_end() -> None:
    breaker = opened(100.0)
    breaker.knocked(100.5, False)
    assert breaker.refusal(100.0 + SETTINGS.most_open_s - 0.1) is not None
    probe = probed(breaker, 100.0 + SETTINGS.most_open_s)
    breaker.failed(160.0, "TimedOutError", probe)
    assert breaker.refusal(160.0 + SETTINGS.most_open_s - 0.1) is not None
    assert breaker.refusal(160.0 + SETTINGS.most_open_s) is None


def test_a_probe_that_hangs_at_a_closed_door_gives_way_once_it_is_open() -> None:
    breaker = opened(100.0)
    probed(breaker, 105.0)
    breaker.knocked(106.0, False)
    breaker.knocked(108.0, True)
    probed(breaker, 108.0)


@pytest.mark.parametrize("answered", [True, False])
def test_a_probe_that_was_overtaken_can_close_the_circuit_but_not_open_it(answered: bool) -> None:
    breaker = opened(100.0)
    lost = probed(breaker, 105.0)
    newer = probed(breaker, 105.0 + PROBE_LIMIT_S)
    if answered:
        breaker.succeeded(lost)
        assert breaker.state == "closed"
        return
    breaker.failed(226.0, "TimedOutError", lost)
    breaker.abandoned(lost)
    assert breaker.refusal(226.0) == "being probed after 3 failures in a row (ServerFailedError)"
    breaker.succeeded(newer)
    assert breaker.state == "closed"


def test_a_probe_from_before_the_circuit_opened_anew_says_nothing() -> None:
    breaker = opened(100.0)
    lost = probed(breaker, 105.0)
    breaker.failed(230.0, "ServerFailedError", probed(breaker, 105.0 + PROBE_LIMIT_S))
    breaker.succeeded(lost)
    breaker.failed(231.0, "TimedOutError", lost)
    assert (breaker.state, breaker.retry_at) == ("open", 240.0)


def test_a_probe_that_met_the_closed_door_and_fails_once_it_is_open_says_nothing() -> None:
    breaker = opened(100.0)
    lost = probed(breaker, 105.0)
    breaker.knocked(106.0, False)
    breaker.knocked(108.0, True)
    breaker.failed(109.0, "TimedOutError", lost)
    assert breaker.refusal(109.0) is None


def test_a_knock_says_nothing_of_a_circuit_that_is_closed() -> None:
    breaker = Breaker(SETTINGS)
    breaker.knocked(1.0, False)
    assert breaker.refusal(1.0) is None
    for _ in range(SETTINGS.consecutive):
        breaker.failed(2.0, "ServerFailedError", 0)
    assert not breaker.waits_for_knock(2.0)
