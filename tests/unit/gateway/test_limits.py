"""How many requests get through: of each key in a minute, and of all at once."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from banditroute.gateway.auth import Caller
from banditroute.gateway.limits import Gate, Turnstile
from banditroute.gateway.refusals import RefusedError


def passes(turnstile, caller, now):
    """Whether a request gets through."""
    try:
        turnstile.turn(caller, now)
    except RefusedError:
        return False
    return True


@given(st.integers(1, 120), st.lists(st.floats(0.0, 20.0), min_size=1, max_size=300))
def test_no_stretch_of_a_minute_sees_more_than_twice_what_is_saved_and_earned(rate, pauses):
    turnstile, caller, now = Turnstile(), Caller("app", requests_per_minute=float(rate)), 1000.0
    through = []
    for pause in pauses:
        now += pause
        if passes(turnstile, caller, now):
            through.append(now)
    for begin in through:
        for end in through:
            if end >= begin:
                within = sum(begin <= at <= end for at in through)
                assert within <= rate + (end - begin) * rate / 60.0 + 1e-6


@given(st.floats(0.1, 600.0), st.integers(1, 50))
def test_who_comes_back_when_told_to_gets_through(rate, more):
    turnstile, caller, now = Turnstile(), Caller("app", requests_per_minute=rate), 0.0
    for _ in range(more + int(rate) + 1):
        try:
            turnstile.turn(caller, now)
        except RefusedError as error:
            now += error.refusal.retry_after_s + 1e-6
            turnstile.turn(caller, now)


def test_keys_do_not_wait_for_each_other_and_some_for_nobody():
    turnstile = Turnstile()
    one, other = (Caller(name, requests_per_minute=1.0) for name in ("one", "other"))
    assert passes(turnstile, one, 0.0)
    assert not passes(turnstile, one, 0.0)
    assert passes(turnstile, other, 0.0)
    assert all(passes(turnstile, Caller("free"), 0.0) for _ in range(1000))


def test_a_gate_lets_in_as_many_as_have_left():
    gate = Gate(1)
    with gate.entered():
        with pytest.raises(RefusedError) as caught, gate.entered():
            pass
        assert caught.value.refusal.code == "gateway_busy"
        assert gate.in_work == 1
    with pytest.raises(ZeroDivisionError), gate.entered():
        _ = 1 / 0
    assert gate.in_work == 0
