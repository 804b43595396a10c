"""Paced caps beside paces: what they ask of dollars, what they keep, what survives a restart."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest

from banditroute.errors import InputError
from banditroute.learning.policy import PolicySettings
from banditroute.routing.budgets import Cap, PacedBudget, Scope
from banditroute.routing.ledger import Ledger
from banditroute.routing.paced import PaceRecord
from banditroute.routing.paced_caps import PacedCap
from banditroute.routing.pacers import Pacers, remember

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC).timestamp()
DAY = 86_400.0
CAP = Cap("day", 10.0, "day")
ACME = Cap("acme", 2.0, "day", Scope("tenant", "acme"))
SETTINGS = PolicySettings()


def pacers(*caps: Cap, budgets: tuple[PacedBudget, ...] = ()) -> Pacers:
    return Pacers(budgets, SETTINGS, caps)


def come(mine: Pacers, ledger: Ledger, requests: int, start: float, every_s: float, tenant: str = "") -> float:
    for k in range(requests):
        mine.arrived(tenant, "qa", start + k * every_s, ledger)
    return start + requests * every_s


def spend(ledger: Ledger, usd: float, now: float) -> None:
    ledger.reserve("spent", usd, "", "qa", now, now + 60)
    ledger.settle("spent", usd)


def allowance(mine: Pacers, tenant: str = "") -> float:
    (paced,) = mine.covering(tenant, "qa")
    return paced.usd_per_request


def test_a_cap_asks_for_nothing_until_a_request_comes() -> None:
    mine, ledger = pacers(CAP), Ledger([CAP])
    assert mine.covering("", "qa") == ()
    assert mine.records() == ()
    mine.arrived("", "qa", NOON, ledger)
    assert set(mine.shadow_prices()) == {"day"}
    assert mine.shadow_prices()["day"] == pytest.approx(SETTINGS.pacing.start_price)


def test_what_is_left_is_spread_over_the_requests_to_come() -> None:
    mine, ledger = pacers(CAP), Ledger([CAP])
    now = come(mine, ledger, 600, NOON, 36.0)  # six hours of a hundred an hour, six more to come
    assert allowance(mine) == pytest.approx(10.0 / 600, rel=0.06)
    spend(ledger, 7.0, now)
    now = come(mine, ledger, 60, now, 36.0)
    assert allowance(mine) == pytest.approx(3.0 / 540, rel=0.06)
    spend(ledger, 2.9, now)
    come(mine, ledger, 60, now, 36.0)
    assert allowance(mine) == pytest.approx(0.5 * 10.0 / 1200, rel=0.06)  # half the even rate, no less
    come(mine, ledger, 1, NOON + DAY, 36.0)
    assert allowance(mine) > 0.01  # a new day, nothing of it spent


def test_a_moved_allowance_leaves_a_dollar_its_price() -> None:
    mine, ledger = pacers(CAP), Ledger([CAP])
    now = come(mine, ledger, 600, NOON, 36.0)
    (paced,) = mine.covering("", "qa")
    for _ in range(100):
        paced.pacer.spend(2 * paced.usd_per_request)
    before, level, asked = paced.usd_price, paced.pacer.pace.level, paced.usd_per_request
    spend(ledger, 2.5, now)
    now = come(mine, ledger, 60, now, 36.0)
    assert 0.77 * asked < paced.usd_per_request < 0.9 * asked
    assert paced.usd_price == pytest.approx(before)
    assert paced.pacer.pace.level == level


def test_until_something_is_paid_an_allowance_is_a_guess_and_only_its_own_worth_is_priced() -> None:
    mine, ledger = pacers(CAP), Ledger([CAP])
    now = come(mine, ledger, 1, NOON, 1.0)
    guessed = allowance(mine)
    come(mine, ledger, 5, now + 2 * 3600, 3600.0)
    assert allowance(mine) > 10 * guessed
    assert mine.shadow_prices()["day"] == pytest.approx(SETTINGS.pacing.start_price)


def test_a_new_day_has_its_price_solved_anew_from_recent_requests() -> None:
    """A model of .9 for a cent or one of .5 for nothing: with dollars short, the dear one must not be worth it."""
    mine, ledger = pacers(CAP), Ledger([CAP])
    come(mine, ledger, 2, NOON - DAY, 1.0)
    come(mine, ledger, 4_000, NOON, 10.0)
    (paced,) = mine.covering("", "qa")
    quality, usd, sd, eligible = np.array([0.9, 0.5]), np.array([0.01, 0.0]), np.full(2, 1e-3), np.ones(2, np.bool_)
    for _ in range(100):
        remember([paced], quality - paced.usd_price * usd, sd, usd, eligible)
        paced.pacer.spend(0.0)
    assert paced.usd_price * 0.01 < 0.1
    mine.arrived("", "qa", NOON + DAY, ledger)
    assert paced.usd_per_request < 0.005
    assert paced.usd_price * 0.01 > 0.35


def test_tenants_have_caps_of_their_own_and_judges_none() -> None:
    mine, ledger = pacers(CAP, ACME), Ledger([CAP, ACME])
    come(mine, ledger, 10, NOON, 60.0, "acme")
    come(mine, ledger, 10, NOON + 30, 60.0, "other")
    assert [paced.name for paced in mine.covering("acme", "qa")] == ["day", "acme"]
    assert [paced.name for paced in mine.covering("other", "qa")] == ["day"]
    assert mine.covering("acme", "judge:fair") == ()
    day, acme = mine.outlooks(ledger, NOON + 600)
    assert (day.requests, acme.requests) == (20, 10)
    mine.arrived("acme", "judge:fair", NOON + 600, ledger)
    assert mine.outlooks(ledger, NOON + 600)[0].requests == 20


def test_the_least_that_requests_to_come_need_is_kept_for_them() -> None:
    mine, ledger = pacers(CAP), Ledger([CAP])
    now = come(mine, ledger, 300, NOON, 72.0)  # six hours of fifty, as many to come
    (paced,) = mine.covering("", "qa")
    assert ledger.left_usd("", "qa", now) == 10.0
    paced.offered(0.01)
    now = come(mine, ledger, 50, now, 72.0)
    assert ledger.left_usd("", "qa", now) == pytest.approx(10.0 - 0.01 * 250, abs=0.15)
    ledger.reserve("all", 10.0, "", "qa", now, now + 60)  # kept from being asked for, not from being held
    mine.arrived("", "qa", NOON + DAY, ledger)
    assert ledger.left_usd("", "qa", NOON + DAY) > 0


def test_the_outlook_says_what_will_be_spent() -> None:
    mine, ledger = pacers(CAP), Ledger([CAP])
    now = come(mine, ledger, 300, NOON, 72.0)
    spend(ledger, 3.0, now)
    (outlook,) = mine.outlooks(ledger, now)
    assert (outlook.budget, outlook.requests) == ("day", 300)
    assert outlook.to_come == pytest.approx(300, rel=0.01)
    assert outlook.spent_usd == pytest.approx(6.0, rel=0.01)
    assert outlook.usd_per_request == pytest.approx(7.0 / 300, rel=0.01)


def test_a_restart_goes_on_where_it_was() -> None:
    mine, ledger = pacers(CAP), Ledger([CAP])
    come(mine, ledger, 50, NOON - DAY, 60.0)
    now = come(mine, ledger, 600, NOON, 36.0)
    (paced,) = mine.covering("", "qa")
    for _ in range(50):
        paced.pacer.spend(1.5 * paced.usd_per_request)
    again = pacers(CAP)
    again.restore(mine.records())
    assert again.records() == mine.records()
    assert again.shadow_prices() == mine.shadow_prices()
    mine.outlooks(ledger, now)
    assert again.outlooks(ledger, now) == mine.outlooks(ledger, now)


def test_a_record_of_an_earlier_version_starts_a_cap_anew_and_a_pace_where_it_was() -> None:
    pace = PacedBudget("pace", 0.01)
    mine = pacers(CAP, budgets=(pace,))
    old = PaceRecord("pace", np.log(0.5), 1.0, np.log(0.5), 60.0, 7)
    mine.restore([old, replace(old, budget="day"), replace(old, budget="gone")])
    assert mine.shadow_prices() == {"pace": pytest.approx(0.5)}


def test_a_pace_that_is_set_to_other_dollars_goes_on_at_the_price_that_a_dollar_had() -> None:
    before, after = (pacers(budgets=(PacedBudget("pace", usd),)) for usd in (0.01, 0.02))
    (paced,) = before.covering("", "qa")
    for _ in range(30):
        paced.pacer.spend(0.03)
    after.restore(before.records())
    (moved,) = after.covering("", "qa")
    log_price = float(paced.pacer.pace.log_price)
    assert float(moved.pacer.pace.log_price) - np.log(moved.usd_per_request) == pytest.approx(log_price - np.log(0.01))


def test_names_are_unique_among_caps_and_paces() -> None:
    with pytest.raises(InputError, match="two budgets have one name"):
        pacers(CAP, budgets=(PacedBudget("day", 0.01),))


def test_accounts_are_looked_at_seldom() -> None:
    mine, ledger = pacers(CAP), Ledger([CAP])
    looked: list[float] = []
    look = PacedCap.look

    def counted(cap: PacedCap, ledger: Ledger, now: float) -> object:
        looked.append(now)
        return look(cap, ledger, now)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(PacedCap, "look", counted)
        come(mine, ledger, 10_000, NOON, 0.01)
    assert 20 < len(looked) < 200
