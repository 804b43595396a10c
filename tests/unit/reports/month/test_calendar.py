"""Which month is meant, and how it falls into weeks."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from banditroute.errors import InputError
from banditroute.reports.month.calendar import DAY_S, before, days_of, month_of, title_of, weeks_of
from banditroute.routing.windows import period_at

NOVEMBER, DECEMBER = 1_793_491_200.0, 1_796_083_200.0


def test_a_month_by_its_name_and_by_words():
    named = month_of("2026-11", DECEMBER + 5.0)
    assert (named.starts_at, named.ends_at) == (NOVEMBER, DECEMBER)
    assert month_of("last", DECEMBER) == named
    assert month_of("this", DECEMBER - 1.0) == named
    assert before(named).name == "2026-10"
    assert title_of(named) == "November 2026"
    assert days_of(named) == 30


@pytest.mark.parametrize("text", ["2026-13", "2026-1", "november", "2026-11-01", "", "0001-01", "99999-01"])
def test_what_is_no_month_is_refused(text):
    with pytest.raises(InputError, match="is not a month; write 2026-11, this or last"):
        month_of(text, DECEMBER - 1.0)


def test_a_month_that_has_not_begun_is_refused():
    with pytest.raises(InputError, match="2026-12 has not begun"):
        month_of("2026-12", DECEMBER - 1.0)
    assert month_of("2026-12", DECEMBER).name == "2026-12"


def test_weeks_begin_on_mondays_and_say_which_are_whole():
    weeks = weeks_of(month_of("2026-11", DECEMBER))
    assert [each.name for each in weeks] == [
        "1 Nov",
        "2 to 8 Nov",
        "9 to 15 Nov",
        "16 to 22 Nov",
        "23 to 29 Nov",
        "30 Nov",
    ]
    assert [each.whole for each in weeks] == [False, True, True, True, True, False]


@given(st.floats(min_value=0.0, max_value=4e9))
def test_weeks_cover_the_month_without_gaps(at):
    month = period_at("month", at)
    weeks = weeks_of(month)
    assert (weeks[0].starts_at, weeks[-1].ends_at) == (month.starts_at, month.ends_at)
    assert all(one.ends_at == other.starts_at for one, other in pairwise(weeks))
    assert all(0.0 < each.ends_at - each.starts_at <= 7 * DAY_S for each in weeks)
    assert all(int(each.starts_at // DAY_S + 3) % 7 == 0 for each in weeks[1:])
