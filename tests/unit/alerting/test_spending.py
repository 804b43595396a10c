from datetime import UTC, datetime

import pytest

from banditroute.alerting.settings import AlertSettings
from banditroute.alerting.spending import Spending, expected_usd
from banditroute.alerting.view import View
from banditroute.routing.accounts import Account
from banditroute.routing.budgets import Cap, Window
from banditroute.routing.paced_caps import CapOutlook

SETTINGS = AlertSettings(hold_s=600.0)
MIDNIGHT = datetime(2026, 11, 26, tzinfo=UTC).timestamp()
HOUR, DAY = 3_600.0, 86_400.0


def an_account(spent_usd: float, usd: float = 20.0, day: int = 26) -> Account:
    ends_at = MIDNIGHT + (day - 25) * DAY
    return Account(Cap("day", usd, "day"), Window("day", f"2026-11-{day}"), ends_at, spent_usd, 0.0, 0.0)


def an_outlook(requests: int, to_come: float) -> CapOutlook:
    return CapOutlook("day", 0.01, requests, to_come, 0.0, 0.0)


def marks(spending: Spending, account: Account) -> list[tuple[float, str]]:
    return [(each.level, each.text) for each in spending.marks(View((account,)), SETTINGS)]


def test_the_highest_mark_is_what_counts() -> None:
    spending = Spending()
    assert marks(spending, an_account(9.99)) == []
    assert marks(spending, an_account(10.0)) == [(0.5, "budget day: 50% of $20.00 spent")]
    assert [level for level, _ in marks(spending, an_account(19.0))] == [0.8]
    assert [level for level, _ in marks(spending, an_account(20.5))] == [1.0]


@pytest.mark.parametrize(("rejected", "came"), [(True, "requests are turned down"), (False, "the cheapest model")])
def test_a_cap_that_turns_requests_away_is_used_up_for_its_window(rejected: bool, came: str) -> None:
    spending = Spending()
    spending.exhausted("day", rejected=rejected)
    for spent in (17.0, 17.5):
        ((level, text),) = marks(spending, an_account(spent))
        assert level == 1.0
        assert came in text
    assert marks(spending, an_account(0.1, day=27)) == []


def test_a_cap_that_is_no_longer_kept_turns_nobody_away() -> None:
    spending = Spending()
    spending.exhausted("gone", rejected=True)
    assert marks(spending, an_account(1.0)) == []


def test_expectation_by_requests_and_by_time() -> None:
    at = MIDNIGHT + 12 * HOUR
    assert expected_usd(an_account(12.0), an_outlook(600, 300.0), at) == pytest.approx(18.0)
    assert expected_usd(an_account(12.0), an_outlook(49, 300.0), at) is None, "too few requests"
    assert expected_usd(an_account(1.0), an_outlook(60, 3_000.0), MIDNIGHT + HOUR) is None, "too early"
    assert expected_usd(an_account(12.0), None, at) == pytest.approx(24.0)
    assert expected_usd(an_account(12.0), None, at - 1.0) is None


def forecasts(spending: Spending, account: Account, outlook: CapOutlook, now: float) -> list[str]:
    return [each.text for each in spending.forecasts(View((account,), (outlook,)), SETTINGS, MIDNIGHT + now)]


def test_a_forecast_has_to_stand_and_so_has_its_end() -> None:
    spending, account = Spending(), an_account(10.0)
    dear, fair = an_outlook(500, 900.0), an_outlook(500, 500.0)
    assert [len(forecasts(spending, account, dear, at)) for at in (0.0, 599.0, 600.0)] == [0, 0, 1]
    assert len(forecasts(spending, account, fair, 700.0)) == 1, "just the cap: it goes on"
    below = an_outlook(500, 400.0)
    assert [len(forecasts(spending, account, below, at)) for at in (800.0, 1_399.0, 1_400.0)] == [1, 1, 0]


def test_a_new_window_is_another_story() -> None:
    spending, dear = Spending(), an_outlook(500, 900.0)
    for at in (0.0, 600.0):
        told = forecasts(spending, an_account(10.0), dear, at)
    assert told == ["budget day will not last its day: about $28.00 needed, $20.00 allowed"]
    assert forecasts(spending, an_account(10.0, day=27), dear, DAY) == []


def test_what_is_spent_is_no_forecast() -> None:
    spending = Spending()
    for at in (0.0, 5_000.0):
        assert forecasts(spending, an_account(23.5), an_outlook(500, 900.0), at) == []
