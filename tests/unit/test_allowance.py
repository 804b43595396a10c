"""Work that can wait takes its share of the time and no more, but for what was saved up."""

from hypothesis import given
from hypothesis import strategies as st

from banditroute.allowance import Allowance

SHARE, SAVED_S = 0.05, 0.25


@given(st.lists(st.tuples(st.floats(0.0, 2.0), st.floats(0.001, 0.1)), min_size=1, max_size=200))
def test_no_more_than_its_share_beyond_what_is_saved(steps):
    allowance, now, worked = Allowance(SHARE, SAVED_S), 0.0, 0.0
    for pause, took in steps:
        now += pause
        now += allowance.wait_s(now)
        began = now
        now += took
        worked += took
        allowance.spent(took, now)
        assert worked - took <= SHARE * began + SAVED_S + 1e-9


def test_nothing_waits_until_what_is_saved_is_spent():
    allowance = Allowance(SHARE, SAVED_S)
    assert allowance.wait_s(100.0) == 0.0
    allowance.spent(SAVED_S + 0.01, 100.0)
    assert abs(allowance.wait_s(100.0) - 0.01 / SHARE) < 1e-9
    assert allowance.wait_s(100.0 + 0.01 / SHARE + 1e-9) == 0.0


def test_no_more_is_saved_than_may_be():
    allowance = Allowance(SHARE, SAVED_S)
    allowance.wait_s(0.0)
    allowance.spent(2 * SAVED_S, 1e6)
    assert allowance.wait_s(1e6) > 0.0
