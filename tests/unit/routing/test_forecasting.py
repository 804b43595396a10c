from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from banditroute.routing.forecasting import Forecast, Traffic, allowance_usd, spend_by_end

MONDAY = datetime(2026, 11, 23, tzinfo=UTC).timestamp()
HOUR, DAY = 3_600.0, 86_400.0


def day_of(traffic: Traffic, start: float, by_hour: dict[int, int]) -> None:
    """Counts so many requests in each of these hours, evenly."""
    for hour, requests in by_hour.items():
        for k in range(requests):
            traffic.count(start + (hour + (k + 0.5) / requests) * HOUR)


def test_with_nothing_known_one_request_a_minute_is_expected() -> None:
    traffic = Traffic("day")
    traffic.count(MONDAY)
    assert traffic.forecast(MONDAY) == Forecast(1, pytest.approx(2 / 60 * DAY))


def test_without_a_day_before_the_rate_so_far_goes_on_from_when_it_was_first_watched() -> None:
    traffic = Traffic("day")
    for k in range(600):
        traffic.count(MONDAY + 18 * HOUR + 6.0 * k)  # an hour of ten a minute, begun in the evening
    so_far, to_come = traffic.forecast(MONDAY + 19 * HOUR)
    assert so_far == 600
    assert to_come == pytest.approx(3_000, rel=0.02)


def test_what_is_to_come_is_what_came_after_this_time_of_the_day_before() -> None:
    traffic = Traffic("day")
    traffic.count(MONDAY)
    day_of(traffic, MONDAY, {3: 49, 9: 400, 15: 550})
    day_of(traffic, MONDAY + DAY, {3: 50})
    assert traffic.forecast(MONDAY + DAY + 8 * HOUR) == (50, pytest.approx(950))
    day_of(traffic, MONDAY + DAY, {9: 400})
    assert traffic.forecast(MONDAY + DAY + 15 * HOUR).to_come == pytest.approx(550)


def test_a_busier_day_is_seen_from_its_first_hours() -> None:
    traffic = Traffic("day")
    even = dict.fromkeys(range(24), 100)
    day_of(traffic, MONDAY, even)
    day_of(traffic, MONDAY + DAY, dict.fromkeys(range(6), 300))
    _, to_come = traffic.forecast(MONDAY + DAY + 6 * HOUR)
    assert 4_300 < to_come < 5_400  # three times as busy would be 5,400; the day before said 1,800


def test_hours_that_nobody_watched_count_as_the_mean_of_the_others() -> None:
    traffic = Traffic("day")
    day_of(traffic, MONDAY, dict.fromkeys(range(12, 24), 100))  # begun at noon
    assert traffic.forecast(MONDAY + DAY).to_come == pytest.approx(2_400, rel=0.01)


def test_a_month_goes_by_its_days_and_a_longer_one_has_the_mean_where_the_shorter_had_none() -> None:
    february, march = (datetime(2026, month, 1, tzinfo=UTC).timestamp() for month in (2, 3))
    traffic = Traffic("month")
    for day in range(28):
        for k in range(10):
            traffic.count(february + day * DAY + k * HOUR)
    assert traffic.forecast(march).to_come == pytest.approx(310)
    assert traffic.forecast(march + 30.5 * DAY).to_come < 5.01


@given(st.lists(st.floats(0, 3 * DAY), min_size=1, max_size=60))
def test_what_is_written_down_says_the_same_later(offsets: list[float]) -> None:
    traffic, again = Traffic("day"), Traffic("day")
    for offset in sorted(offsets):
        traffic.count(MONDAY + round(offset))
    again.resume(traffic.text)
    now = MONDAY + 3 * DAY - 1.0
    again.count(now)
    traffic.count(now)
    assert again.requests == traffic.requests
    assert again.text.split(";")[1:] == traffic.text.split(";")[1:]


def test_a_restart_within_the_day_forgets_nothing() -> None:
    traffic, again = Traffic("day"), Traffic("day")
    day_of(traffic, MONDAY, {3: 50, 9: 400, 15: 550})
    day_of(traffic, MONDAY + DAY, {3: 60})
    again.resume(traffic.text)
    assert again.period == "2026-11-24"
    assert again.forecast(MONDAY + DAY + 8 * HOUR) == traffic.forecast(MONDAY + DAY + 8 * HOUR)


def test_after_a_night_that_the_process_slept_through_the_day_counts_from_its_waking() -> None:
    traffic, again = Traffic("day"), Traffic("day")
    day_of(traffic, MONDAY, dict.fromkeys(range(24), 100))
    again.resume(traffic.text)
    again.count(MONDAY + DAY + 12 * HOUR)
    _, to_come = again.forecast(MONDAY + DAY + 12 * HOUR)
    assert to_come == pytest.approx(1_200, rel=0.01)  # not halved by a morning without requests


@pytest.mark.parametrize("text", ["", "yesterday 0 1", "2026-11 0 3", "2026-11-23 0 1 x", "2026-11-23 0 -4"])
def test_a_text_that_says_nothing_of_it_changes_nothing(text: str) -> None:
    traffic = Traffic("day")
    traffic.resume(text)
    assert (traffic.requests, traffic.text) == (0, "")


def test_a_clock_that_is_set_back_counts_into_no_window() -> None:
    traffic = Traffic("day")
    traffic.count(MONDAY + DAY)
    traffic.count(MONDAY)
    assert traffic.requests == 1
    assert traffic.period == "2026-11-24"
    assert np.isfinite(traffic.forecast(MONDAY).to_come)


def test_an_allowance_makes_what_is_left_last_within_half_and_twice_the_even_rate() -> None:
    assert allowance_usd(10.0, 5.0, Forecast(600, 400)) == pytest.approx(0.0125)
    assert allowance_usd(10.0, 0.1, Forecast(600, 400)) == pytest.approx(0.005)
    assert allowance_usd(10.0, -3.0, Forecast(600, 400)) == pytest.approx(0.005)
    assert allowance_usd(10.0, 9.9, Forecast(900, 100)) == pytest.approx(0.02)


@given(st.floats(1e-6, 1e6), st.floats(-1.0, 1.0), st.integers(0, 10**6), st.floats(1.0, 1e9))
def test_an_allowance_is_always_dollars(total: float, left: float, so_far: int, to_come: float) -> None:
    assert 0 < allowance_usd(total, left * total, Forecast(so_far, to_come)) <= 2 * total


def test_spending_goes_on_as_it_did_but_not_beyond_what_is_allowed() -> None:
    assert spend_by_end(2.0, 10.0, Forecast(200, 300)) == 5.0
    assert spend_by_end(8.0, 10.0, Forecast(200, 300)) == 10.0
    assert spend_by_end(11.0, 10.0, Forecast(200, 300)) == 11.0
    assert spend_by_end(0.0, 10.0, Forecast(0, 300)) == 0.0
