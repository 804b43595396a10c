from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from banditroute.errors import BudgetExceededError, InputError
from banditroute.routing.budgets import Cap, Charge, Scope, Window
from banditroute.routing.ledger import KEPT_S, Ledger, Reservation

NOON = datetime(2026, 11, 30, 12, tzinfo=UTC).timestamp()
MIDNIGHT = NOON + 12 * 3600
LATER = NOON + 600
TODAY = Window("daily", "2026-11-30")
DAILY = Cap("daily", 1.0, "day")


def reserve(
    ledger: Ledger, name: str, usd: float, now: float = NOON, *, force: bool = False, tenant: str = "", task: str = "qa"
) -> Reservation:
    return ledger.reserve(name, usd, tenant, task, now, now + 600, force=force)


def left(ledger: Ledger, now: float = NOON, *, tenant: str = "", task: str = "qa") -> float | None:
    return ledger.left_usd(tenant, task, now)


def test_what_is_reserved_is_not_left() -> None:
    ledger = Ledger([DAILY])
    made = reserve(ledger, "a", 0.4)
    assert made == Reservation("a", 0.4, (TODAY,), NOON + 600)
    assert left(ledger) == 0.6
    assert ledger.settle("a", 0.1) == (Charge(TODAY, 0.1),)
    assert left(ledger) == 0.9


def test_what_does_not_fit_is_refused_and_says_when_the_window_ends() -> None:
    ledger = Ledger([DAILY])
    reserve(ledger, "a", 0.4)
    ledger.settle("a", 0.3)
    reserve(ledger, "b", 0.5)
    with pytest.raises(BudgetExceededError) as caught:
        reserve(ledger, "c", 0.200001)
    error = caught.value
    assert (error.budget, error.cap_usd, error.spent_usd, error.reserved_usd) == ("daily", 1.0, 0.3, 0.5)
    assert error.retry_after_s == MIDNIGHT - NOON
    assert left(ledger) == 0.2
    reserve(ledger, "c", 0.2)
    assert left(ledger) == 0.0


def test_what_nothing_bounds_fits_no_cap() -> None:
    ledger = Ledger([DAILY])
    with pytest.raises(BudgetExceededError):
        reserve(ledger, "a", math.inf)
    reserve(ledger, "b", math.inf, force=True)
    assert left(ledger) == 0.0


def test_a_free_request_fits_whatever_is_left() -> None:
    ledger = Ledger([DAILY])
    reserve(ledger, "a", 1.0)
    ledger.settle("a", 1.5)
    assert left(ledger) == 0.0
    reserve(ledger, "free", 0.0)
    assert ledger.settle("free", 0.0) == ()


def test_settling_twice_counts_once() -> None:
    ledger = Ledger([DAILY])
    reserve(ledger, "a", 0.4)
    assert ledger.settle("a", 0.1)
    assert ledger.settle("a", 0.1) == ()
    ledger.release("a")
    assert left(ledger) == 0.9


def test_a_release_spends_nothing() -> None:
    ledger = Ledger([DAILY])
    reserve(ledger, "a", 0.4)
    ledger.release("a")
    ledger.release("a")
    assert left(ledger) == 1.0
    assert ledger.settle("a", 0.1) == ()


def test_an_id_is_taken_until_it_is_settled() -> None:
    ledger = Ledger([DAILY])
    reserve(ledger, "a", 0.4)
    with pytest.raises(InputError, match="'a' is not settled yet"):
        reserve(ledger, "a", 0.1)
    assert left(ledger) == 0.6
    ledger.settle("a", 0.0)
    reserve(ledger, "a", 0.1)


@pytest.mark.parametrize("usd", [-0.1, math.nan])
def test_amounts_are_amounts(usd: float) -> None:
    ledger = Ledger([DAILY])
    with pytest.raises(InputError):
        reserve(ledger, "a", usd)
    reserve(ledger, "a", 0.1)
    with pytest.raises(InputError):
        ledger.settle("a", usd)
    with pytest.raises(InputError):
        ledger.settle("a", math.inf)
    assert ledger.settle("a", 0.1)


def test_a_request_is_held_by_every_cap_that_covers_it() -> None:
    caps = [
        Cap("all", 10.0, "month"),
        Cap("acme", 2.0, "day", Scope("tenant", "acme")),
        Cap("code", 1.0, "day", Scope("task", "code")),
    ]
    ledger = Ledger(caps)
    made = reserve(ledger, "a", 0.75, tenant="acme", task="code")
    assert [window.budget for window in made.windows] == ["all", "acme", "code"]
    assert left(ledger, tenant="acme", task="code") == 0.25
    assert left(ledger, tenant="acme") == 1.25
    assert left(ledger) == 9.25
    with pytest.raises(BudgetExceededError, match="'code'"):
        reserve(ledger, "b", 0.5, task="code")
    assert left(ledger) == 9.25, "a refused request holds nothing anywhere"
    tightest = ledger.tightest("acme", "qa", NOON)
    assert tightest is not None
    assert (tightest.cap.name, tightest.left_usd) == ("acme", 1.25)
    ledger.settle("a", 0.5)
    assert [account.spent_usd for account in ledger.accounts(NOON)] == [0.5, 0.5, 0.5]


def test_where_no_cap_covers_a_request_nothing_is_kept_of_it() -> None:
    ledger = Ledger([Cap("acme", 1.0, "day", Scope("tenant", "acme"))])
    assert left(ledger, tenant="other") is None
    assert ledger.tightest("other", "qa", NOON) is None
    assert reserve(ledger, "a", math.inf, tenant="other").windows == ()
    assert ledger.settle("a", 5.0) == ()
    assert left(ledger, tenant="acme") == 1.0


def test_the_next_window_starts_anew_and_the_old_one_gets_its_charge() -> None:
    ledger = Ledger([DAILY, Cap("monthly", 3.0, "month"), Cap("long", 5.0, "month", Scope("tenant", "acme"))])
    reserve(ledger, "a", 0.9)
    assert left(ledger, MIDNIGHT - 1e-3) == pytest.approx(0.1)
    assert left(ledger, MIDNIGHT) == 1.0
    charges = ledger.settle("a", 0.8)
    assert charges == (Charge(TODAY, 0.8), Charge(Window("monthly", "2026-11"), 0.8))
    december = ledger.accounts(MIDNIGHT)
    assert [(account.window.period, account.spent_usd, account.reserved_usd) for account in december] == [
        ("2026-12-01", 0, 0),
        ("2026-12", 0, 0),
        ("2026-12", 0, 0),
    ]


def test_a_clock_that_is_set_back_gives_nothing_out_twice() -> None:
    ledger = Ledger([DAILY])
    reserve(ledger, "a", 0.9, MIDNIGHT + 1)
    assert left(ledger, MIDNIGHT - 1) == pytest.approx(0.1)


def test_what_expires_holds_nothing_and_is_charged_all_the_same() -> None:
    ledger = Ledger([DAILY])
    reserve(ledger, "a", 0.4)
    reserve(ledger, "b", 0.3, NOON + 1)
    assert ledger.expire(NOON + 599.9) == []
    assert ledger.expire(NOON + 600) == ["a"]
    assert ledger.expire(NOON + 600) == []
    assert left(ledger) == 0.7
    assert ledger.settle("a", 0.25) == (Charge(TODAY, 0.25),)
    assert ledger.overrun_usd == 0.25, "it settled above the nothing that it held by then"
    assert ledger.settle("a", 0.25) == ()


def test_an_id_that_is_used_again_expires_by_its_new_time() -> None:
    ledger = Ledger([DAILY])
    reserve(ledger, "a", 0.4)
    ledger.settle("a", 0.1)
    reserve(ledger, "a", 0.4, NOON + 300)
    assert ledger.expire(NOON + 600) == []
    assert ledger.expire(NOON + 900) == ["a"]


def test_what_expired_long_ago_is_forgotten() -> None:
    ledger = Ledger([DAILY])
    reserve(ledger, "a", 0.4)
    ledger.expire(LATER)
    assert ledger.expire(LATER + KEPT_S) == []
    assert ledger.settle("a", 0.1) == ()


def test_many_short_requests_leave_nothing_behind() -> None:
    ledger = Ledger([DAILY])
    for number in range(10_000):
        reserve(ledger, str(number), 0.001)
        ledger.settle(str(number), 0.00001)
    assert len(ledger._due) < 200  # type: ignore[reportPrivateUsage]
    assert ledger.accounts(NOON)[0].spent_usd == 0.1, "sums are exact"
    assert ledger.accounts(NOON)[0].reserved_usd == 0.0


def test_a_forced_reservation_holds_what_there_is() -> None:
    ledger = Ledger([DAILY])
    reserve(ledger, "a", 0.9)
    forced = reserve(ledger, "b", 0.5, force=True)
    assert forced.usd == 0.5
    assert left(ledger) == 0.0
    ledger.settle("b", 0.5)
    account = ledger.accounts(NOON)[0]
    assert (account.spent_usd, account.reserved_usd, account.overrun_usd) == (0.5, 0.9, 0.4)
    ledger.settle("a", 0.9)
    assert ledger.accounts(NOON)[0].spent_usd == 1.4


def test_what_the_store_has_on_record_is_spent() -> None:
    ledger = Ledger([DAILY, Cap("monthly", 3.0, "month")])
    ledger.restore({TODAY: 0.3})
    ledger.restore({TODAY: 0.4, Window("monthly", "2026-11"): 2.9, Window("gone", "2026-11"): 1.0})
    ledger.restore({Window("daily", "2026-11-29"): 0.9})
    assert left(ledger) == pytest.approx(0.1)
    ledger.restore({TODAY: 0.2})
    assert ledger.accounts(NOON)[0].spent_usd == 0.9
    assert left(ledger, MIDNIGHT) == 1.0


def test_more_on_record_than_a_lowered_cap_allows_is_overrun() -> None:
    ledger = Ledger([DAILY])
    ledger.restore({TODAY: 1.5})
    account = ledger.accounts(NOON)[0]
    assert (account.spent_usd, account.overrun_usd, account.left_usd) == (1.5, 0.5, 0.0)


def test_reservations_found_at_start_are_taken_up() -> None:
    before = Ledger([DAILY])
    found = reserve(before, "a", 0.4)
    ledger = Ledger([DAILY])
    ledger.restore({TODAY: 0.3})
    ledger.hold(found)
    assert left(ledger) == 0.3
    assert ledger.settle("a", 0.2) == (Charge(TODAY, 0.2),)
    assert left(ledger) == 0.5


def test_reservations_of_windows_that_are_over_are_only_charged() -> None:
    ledger = Ledger([DAILY])
    assert left(ledger, MIDNIGHT) == 1.0
    old = Reservation("a", 0.4, (TODAY, Window("gone", "2026-11")), LATER)
    ledger.hold(old)
    assert left(ledger, MIDNIGHT) == 1.0
    assert [charge.window for charge in ledger.settle("a", 0.2)] == [TODAY, Window("gone", "2026-11")]
    assert left(ledger, MIDNIGHT) == 1.0


def test_a_cap_whose_period_was_changed_starts_anew() -> None:
    ledger = Ledger([replace(DAILY, per="month")])
    ledger.hold(Reservation("a", 0.4, (TODAY,), LATER))
    ledger.restore({TODAY: 0.5})
    assert left(ledger) == 1.0


def test_names_of_caps_are_unique() -> None:
    with pytest.raises(InputError, match="two budgets have one name"):
        Ledger([DAILY, DAILY])


class TestOtherCaps:
    def test_what_is_spent_and_held_stays(self) -> None:
        ledger = Ledger([DAILY])
        reserve(ledger, "a", 0.25)
        ledger.settle("a", 0.125)
        reserve(ledger, "b", 0.25)
        ledger.recap([replace(DAILY, usd=2.0), Cap("mine", 1.0, "day", Scope("tenant", "me"))])
        assert (left(ledger), left(ledger, tenant="me")) == (1.625, 1.0)
        assert ledger.settle("b", 0.5) == (Charge(TODAY, 0.5),)
        assert left(ledger) == 1.375

    def test_one_that_is_lowered_below_what_stands_has_been_overrun(self) -> None:
        ledger = Ledger([DAILY])
        reserve(ledger, "a", 0.75)
        ledger.recap([replace(DAILY, usd=0.5)])
        (account,) = ledger.accounts(NOON)
        assert (account.left_usd, account.overrun_usd) == (0.0, 0.25)
        with pytest.raises(BudgetExceededError):
            reserve(ledger, "b", 0.1)
        ledger.release("a")
        assert left(ledger) == 0.5

    def test_one_that_is_put_back_goes_on(self) -> None:
        ledger = Ledger([DAILY])
        reserve(ledger, "a", 0.25)
        ledger.recap([])
        assert left(ledger) is None
        assert ledger.settle("a", 0.25) == (Charge(TODAY, 0.25),), "what it spends is on record all the same"
        ledger.recap([DAILY])
        assert left(ledger) == 0.75

    def test_a_new_one_starts_with_what_is_on_record_under_its_name(self) -> None:
        ledger = Ledger([])
        ledger.restore({TODAY: 0.25, Window("daily", "2026-11"): 9.0})
        ledger.recap([DAILY])
        assert left(ledger) == 0.75

    def test_another_window_is_another_cap(self) -> None:
        ledger = Ledger([DAILY])
        reserve(ledger, "a", 0.25)
        ledger.recap([replace(DAILY, per="month")])
        assert left(ledger) == 1.0

    def test_two_of_one_name_change_nothing(self) -> None:
        ledger = Ledger([DAILY])
        with pytest.raises(InputError, match="one name"):
            ledger.recap([DAILY, DAILY])
        assert left(ledger) == 1.0


CARRIED = Cap("daily", 1.0, "day", carry=True)
DAY = 86_400.0


def test_what_a_window_leaves_is_carried_at_most_one_windows_worth() -> None:
    ledger = Ledger([CARRIED])
    assert left(ledger) == 1.0, "nothing came before the first window"
    reserve(ledger, "a", 0.75)
    ledger.settle("a", 0.75)
    assert left(ledger, MIDNIGHT) == 1.25
    assert ledger.account("daily", MIDNIGHT).carried_usd == 0.25
    assert left(ledger, MIDNIGHT + DAY) == 2.0
    assert left(ledger, MIDNIGHT + 5 * DAY) == 2.0, "days without a request leave themselves, and no more"


def test_without_carry_every_window_starts_anew() -> None:
    ledger = Ledger([DAILY])
    reserve(ledger, "a", 0.1)
    ledger.settle("a", 0.1)
    assert left(ledger, MIDNIGHT) == 1.0


def test_what_is_still_held_at_midnight_is_not_carried_until_it_is_let_go() -> None:
    ledger = Ledger([CARRIED])
    reserve(ledger, "a", 0.6)
    assert left(ledger, MIDNIGHT) == 1.4
    ledger.settle("a", 0.1)
    assert left(ledger, MIDNIGHT) == 1.9


def test_a_late_bill_above_its_reservation_takes_back_what_was_carried() -> None:
    ledger = Ledger([CARRIED])
    reserve(ledger, "a", 0.2)
    reserve(ledger, "b", 1.8, MIDNIGHT)
    ledger.settle("b", 1.8)
    ledger.settle("a", 0.9)
    account = ledger.account("daily", MIDNIGHT)
    assert (account.usd, account.spent_usd, account.overrun_usd, account.left_usd) == (1.1, 1.8, 0.7, 0.0)


def test_a_lost_window_is_no_debt() -> None:
    ledger = Ledger([CARRIED])
    reserve(ledger, "a", 0.5)
    ledger.settle("a", 3.0)
    assert left(ledger, MIDNIGHT) == 1.0


def test_what_is_carried_is_worked_out_anew_from_the_record() -> None:
    def spent(day: int, usd: float) -> dict[Window, float]:
        return {Window("daily", f"2026-11-{day}"): usd}

    ledger = Ledger([CARRIED])
    ledger.restore({**spent(24, 0.25), **spent(25, 1.5), **spent(26, 0.9)})
    assert left(ledger, NOON - 4 * DAY) == pytest.approx(0.35)  # 1 + .75, less 1.5: .25 carried into the 26th
    assert left(ledger, NOON - 3 * DAY) == pytest.approx(1.35)
    later = Ledger([CARRIED])
    later.restore({**spent(24, 0.25), **spent(28, 0.9), **spent(29, 1.0)})
    assert left(later) == pytest.approx(2.0)  # two days without a request, 2.0 on the 28th, 1.1 of it left


def test_a_reservation_of_yesterday_found_at_start_is_not_carried() -> None:
    found = reserve(Ledger([CARRIED]), "a", 0.4)
    ledger = Ledger([CARRIED])
    ledger.restore({TODAY: 0.3})
    assert left(ledger, MIDNIGHT) == 1.7
    ledger.hold(found)
    assert left(ledger, MIDNIGHT) == 1.3
    ledger.restore({TODAY: 0.1})
    assert left(ledger, MIDNIGHT) == 1.2


def test_what_is_kept_may_be_held_and_not_asked_for() -> None:
    ledger = Ledger([DAILY])
    ledger.keep("daily", 0.3, NOON)
    assert left(ledger) == 0.7
    reserve(ledger, "a", 0.9)
    assert left(ledger) == 0.0
    assert left(ledger, MIDNIGHT) == 1.0, "for as long as the window lasts"


def test_a_cap_that_is_paced_no_longer_keeps_nothing_and_one_that_carries_no_longer_starts_anew() -> None:
    ledger = Ledger([CARRIED])
    reserve(ledger, "a", 0.4)
    ledger.settle("a", 0.4)
    ledger.keep("daily", 0.5, MIDNIGHT)
    assert left(ledger, MIDNIGHT) == 1.1
    ledger.recap([replace(CARRIED, paced=False)])
    assert left(ledger, MIDNIGHT) == 1.6
    ledger.recap([DAILY])
    assert left(ledger, MIDNIGHT) == 1.0
    ledger.recap([replace(CARRIED, usd=2.0)])
    assert left(ledger, MIDNIGHT) == 2.0
    assert left(ledger, MIDNIGHT + DAY) == 4.0
