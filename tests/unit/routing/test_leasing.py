from __future__ import annotations

import pytest

from banditroute.errors import BudgetExceededError, LeaseExceededError
from banditroute.routing.accounts import PICOS, picos_of
from banditroute.routing.budgets import Cap, Charge, Window
from banditroute.routing.ledger import Ledger

NOON = 1_795_608_000.0
MIDNIGHT = NOON + 43_200.0
TODAY, TOMORROW = Window("day", "2026-11-25"), Window("day", "2026-11-26")


def shared(cap: Cap | None = None) -> Ledger:
    ledger = Ledger([cap or Cap("day", 8.0, "day", paced=False)])
    ledger.share()
    return ledger


def grant(ledger: Ledger, usd: float, spent_usd: float = 0.0, now: float = NOON) -> None:
    for book in ledger.leased(now, 0.0):
        book.ask(2)
        book.granted(picos_of(usd), picos_of(spent_usd))


def asked(ledger: Ledger, now: float = NOON, processes: int = 2) -> tuple[float, float]:
    need = ledger.leased(now, 0.0)[-1].ask(processes)
    return need.held / PICOS, need.wanted / PICOS


def reserve(ledger: Ledger, name: str, usd: float, now: float = NOON) -> None:
    ledger.reserve(name, usd, "", "", now, now + 60.0)


def test_nothing_is_given_out_before_a_lease_is_granted() -> None:
    ledger = shared()
    with pytest.raises(LeaseExceededError):
        reserve(ledger, "a", 0.5)
    grant(ledger, 1.0)
    reserve(ledger, "a", 0.5)
    with pytest.raises(LeaseExceededError, match="of \\$8 spent"):
        reserve(ledger, "b", 0.75)


def test_what_no_lease_would_help_is_a_cap_that_is_exceeded() -> None:
    ledger = shared()
    grant(ledger, 1.0, spent_usd=7.0)
    with pytest.raises(BudgetExceededError) as caught:
        reserve(ledger, "a", 1.5)
    assert type(caught.value) is BudgetExceededError


def test_choices_look_at_what_the_cap_has_left_and_fallbacks_at_the_lease() -> None:
    ledger = shared()
    grant(ledger, 1.0, spent_usd=2.0)
    assert ledger.left_usd("", "", NOON) == 6.0
    assert ledger.left_usd("", "", NOON, leased=True) == 1.0
    account = ledger.account("day", NOON)
    assert (account.left_usd, account.at_hand_usd, account.elsewhere_usd) == (6.0, 1.0, 5.0)


def test_what_the_store_was_told_before_an_exchange_does_not_count_twice() -> None:
    ledger = shared()
    grant(ledger, 4.0)
    for name, usd in (("a", 1.0), ("b", 0.5)):
        reserve(ledger, name, usd)
        charges = ledger.settle(name, usd)
        if name == "a":
            ledger.told(charges)
    (book,) = ledger.leased(NOON, 0.0)
    held = book.ask(2).held
    ledger.told([Charge(TODAY, 0.5)])
    book.granted(held, picos_of(1.0))
    assert held == picos_of(3.0)
    assert ledger.account("day", NOON).spent_usd == 1.5
    assert ledger.left_usd("", "", NOON, leased=True) == 2.5


def test_what_could_not_be_told_goes_on_counting() -> None:
    ledger = shared()
    grant(ledger, 4.0)
    reserve(ledger, "a", 1.0)
    charges = ledger.settle("a", 1.0)
    ledger.told(charges)
    ledger.untold(charges)
    grant(ledger, 4.0, spent_usd=0.0)
    assert ledger.account("day", NOON).spent_usd == 1.0


def test_asks_for_room_for_what_was_refused_and_gives_back_what_is_idle() -> None:
    ledger = shared()
    assert asked(ledger) == (0.0, 0.5)
    with pytest.raises(LeaseExceededError):
        reserve(ledger, "a", 2.0)
    assert asked(ledger)[1] == 2.0 + 2 * 2.0
    grant(ledger, 6.0)
    for _ in range(200):
        held, wanted = asked(ledger)
    assert held == wanted == 0.5
    with pytest.raises(LeaseExceededError):
        reserve(ledger, "b", 0.75)


def test_a_lease_that_lapses_gives_nothing_more_out_and_keeps_what_is_under_way() -> None:
    ledger = shared()
    grant(ledger, 4.0)
    reserve(ledger, "a", 1.0)
    ledger.lapse()
    with pytest.raises(LeaseExceededError):
        reserve(ledger, "b", 0.25)
    assert ledger.settle("a", 0.25) == (Charge(TODAY, 0.25),)
    with pytest.raises(LeaseExceededError):
        reserve(ledger, "b", 0.25)
    assert asked(ledger)[0] == 0.25
    assert ledger.overrun_usd == 0.0


def test_the_next_window_is_asked_for_before_it_begins() -> None:
    ledger = shared()
    grant(ledger, 4.0)
    soon = MIDNIGHT - 1.0
    assert [book.window for book in ledger.leased(soon, 0.5)] == [TODAY]
    today, tomorrow = ledger.leased(soon, 5.0)
    assert (today.window, tomorrow.window) == (TODAY, TOMORROW)
    tomorrow.ask(2)
    tomorrow.granted(picos_of(2.0), 0)
    reserve(ledger, "a", 0.5, soon)
    reserve(ledger, "b", 2.0, MIDNIGHT)
    assert [book.window for book in ledger.leased(MIDNIGHT, 5.0)] == [TODAY, TOMORROW]
    ledger.settle("a", 0.5)
    assert [book.window for book in ledger.leased(MIDNIGHT, 5.0)] == [TOMORROW]


def test_what_all_leave_of_a_window_is_carried_and_not_what_a_lease_leaves() -> None:
    ledger = shared(Cap("day", 8.0, "day", paced=False, carry=True))
    grant(ledger, 1.0, spent_usd=5.0)
    grant(ledger, 1.0, spent_usd=0.0, now=MIDNIGHT)
    before, current = ledger.leased(MIDNIGHT, 0.0)
    before.ask(2)
    before.granted(0, picos_of(6.0))
    assert current.usd == picos_of(10.0)


def test_a_cap_that_is_put_in_later_has_no_lease_yet() -> None:
    ledger = shared()
    ledger.recap([Cap("day", 8.0, "day"), Cap("new", 1.0, "day")])
    grant(ledger, 0.5)
    ledger.recap([Cap("day", 8.0, "day"), Cap("other", 1.0, "day")])
    with pytest.raises(LeaseExceededError):
        reserve(ledger, "a", 0.25)


def test_alone_nothing_is_leased() -> None:
    ledger = Ledger([Cap("day", 8.0, "day")])
    reserve(ledger, "a", 8.0)
    ledger.told([Charge(TODAY, 8.0)])
    ledger.lapse()
    assert ledger.account("day", NOON).elsewhere_usd == 0.0
    assert ledger.left_usd("", "", NOON, leased=True) == 0.0
