"""Bills that are not what the catalog makes of the usage: noticed by two, and reckoned with from then on."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from banditroute.learning.drift import PRICES
from banditroute.records import Context, Demand, Outcome, Usage
from banditroute.routing.bills import BILLS, Bills, Rebilled
from banditroute.routing.catalog import Catalog, Model, Price, Tier
from banditroute.routing.decider import Decider

TIERED = Price(1.0, 4.0, 0.5, tiers=(Tier(1_000, Price(2.0, 8.0)),))
CATALOG = Catalog((Model("small", "p", "small", Price(0.1, 0.4)), Model("large", "p", "large", TIERED)))
USAGE = Usage(100, 50)


def outcome(times: float | None, model: str = "large", usage: Usage | None = USAGE, **fields: object) -> Outcome:
    """An answer whose bill is so many times what the catalog asks; None = no bill was stated."""
    due_usd = 0.0 if usage is None else CATALOG[model].price.cost_usd(usage)
    billed = None if times is None else times * due_usd
    return replace(Outcome("d", model, 1.0, usage, billed or due_usd, 1.0, billed_usd=billed), **fields)  # type: ignore[arg-type]


def bills_of(catalog: Catalog = CATALOG) -> Bills:
    return Bills(catalog, PRICES)


def take(bills: Bills, *times: float, model: str = "large") -> list[Rebilled]:
    return [found for each in times if (found := bills.take(outcome(each, model))) is not None]


def test_two_clear_deviations_in_a_row_are_a_new_price() -> None:
    bills = bills_of()
    assert take(bills, 1.0, 1.02, 10.0) == []
    (found,) = take(bills, 10.0)
    alarm = found.alarm
    assert (alarm.model, alarm.signal, alarm.task, alarm.seen) == ("large", "price", "", 2)
    assert (alarm.before, alarm.after, found.factor) == (1.0, pytest.approx(10.0), pytest.approx(10.0))
    assert take(bills, *[10.0] * 50) == [], "that is the price by now"
    (back,) = take(bills, 1.0, 1.0)
    assert (back.alarm.before, back.alarm.after) == (pytest.approx(10.0), pytest.approx(1.0))


def test_one_absurd_bill_is_no_price() -> None:
    assert take(bills_of(), *[1.0, 1.0, 1.0, 300.0, 1.0, 1.0, 1.0, 0.01, 1.0] * 5) == []


def test_a_lasting_small_rise_is_found_later() -> None:
    bills = bills_of()
    (found,) = take(bills, *[1.0] * 20, *[1.2] * 20)
    assert 3 <= found.alarm.seen <= 12
    assert found.factor == pytest.approx(1.2)


def test_bills_that_scatter_raise_no_alarm_again_and_again() -> None:
    rng = np.random.default_rng(0)
    found = take(bills_of(), *np.exp(0.25 * rng.standard_normal(3_000)).tolist())
    assert len(found) <= 2, "how much they vary is learned"


@pytest.mark.parametrize(
    "silent",
    [
        outcome(None),
        outcome(0.0),
        outcome(9.0, usage=None),
        outcome(9.0, estimated=True),
        outcome(9.0, served=""),
        outcome(9.0, served="gone"),
    ],
)
def test_what_states_no_bill_says_nothing(silent: Outcome) -> None:
    bills = bills_of()
    assert [bills.take(silent) for _ in range(10)] == [None] * 10
    assert bills.catalog == CATALOG


def test_a_free_model_has_no_multiple() -> None:
    bills = bills_of(CATALOG.with_price("small", Price(0.0, 0.0)))
    assert take(bills, *[5.0] * 10, model="small") == []


def test_unwatched_bills_say_nothing() -> None:
    bills = Bills(CATALOG, None)
    assert take(bills, *[10.0] * 10) == []


def test_every_rate_of_the_model_is_multiplied_and_no_other_models() -> None:
    bills = bills_of()
    take(bills, 3.0, 3.0)
    long = Usage(5_000, 50, cached_input_tokens=20, reasoning_tokens=7)
    for usage in (USAGE, long, Usage(100, 0, cached_input_tokens=100)):
        assert bills.catalog["large"].price.cost_usd(usage) == pytest.approx(3.0 * TIERED.cost_usd(usage))
    assert bills.catalog["small"] == CATALOG["small"]


def test_it_outlives_the_process_until_the_price_is_edited() -> None:
    bills = bills_of()
    take(bills, 2.5, 2.5)
    records = bills.records()
    assert [record.budget for record in records] == [f"{BILLS}large"]
    again = bills_of()
    again.restore(records)
    assert again.catalog == bills.catalog
    assert again.records() == records
    assert take(again, 2.5, 2.5, 2.5) == []
    edited = CATALOG.with_price("large", Price(2.5, 10.0))
    given_up = bills_of(edited)
    given_up.restore(records)
    assert given_up.catalog == edited
    back = bills_of()
    back.restore(given_up.records())
    assert back.catalog == CATALOG, "an old multiple does not come back with an old price"


def test_a_model_that_was_renamed_keeps_its_bill_and_todays_record_counts() -> None:
    bills = bills_of()
    take(bills, 2.0, 2.0)
    renamed = CATALOG.renamed("large", "huge")
    again = bills_of(renamed)
    again.restore(bills.records())
    assert again.catalog["huge"].price == bills.catalog["large"].price
    (now,) = again.records()
    last = bills_of(renamed)
    last.restore([replace(now, log_price=math.log(4.0)), *bills.records()])
    assert last.catalog["huge"].price.cost_usd(USAGE) == pytest.approx(4.0 * TIERED.cost_usd(USAGE))


class TestDecider:
    """What a decider makes of it."""

    @staticmethod
    def decisions(decider: Decider, count: int, times: float) -> Iterator[float]:
        """The share of requests that go to the large model, whose bills are so many times what they should be."""
        for number in range(count):
            u = (number * 0.618) % 1.0
            decision = decider.decide(Context("qa", (), 100), Demand(100), decision_id="d", now=0.0, u=u)
            model = decision.chosen
            paid = outcome(times if model == "large" else 1.0, model)
            decider.spend(paid.cost_usd, expected_usd=decider.expect(decision))
            decider.settled(decision, paid)
            quality = 0.9 if model == "large" else 0.5
            decider.learn(decision.context, model, quality=quality, output_tokens=50, latency_s=1.0)
            if decider.refresh_due:
                decider.refresh()
            yield decision.propensities["large"]

    def test_forecasts_reservations_and_shadow_prices_follow_the_bills(self) -> None:
        decider = Decider(CATALOG, ("qa",), budget_usd=2e-4)
        before = list(self.decisions(decider, 300, 1.0))
        assert np.mean(before[-50:]) > 0.3
        due, held = self.money(decider)
        price = decider.shadow_price
        list(self.decisions(decider, 20, 10.0))
        (alarm,) = decider.beliefs.take_alarms(7.0)
        assert (alarm.at, alarm.model, alarm.signal, alarm.after) == (7.0, "large", "price", pytest.approx(10.0))
        assert self.money(decider) == (pytest.approx(10.0 * due, rel=0.05), pytest.approx(10.0 * held))
        after = list(self.decisions(decider, 100, 10.0))
        assert np.mean(after[-50:]) < 0.5 * np.mean(before[-50:])
        again = Decider(CATALOG, ("qa",), budget_usd=2e-4)
        again.restore(decider.beliefs.learned, decider.paces)
        assert self.money(again)[0] == pytest.approx(10.0 * due, rel=0.05)
        assert price > 0.0

    @staticmethod
    def money(decider: Decider) -> tuple[float, float]:
        """Dollars expected of the large model, and those that would be held for it."""
        context, demand = Context("qa", (), 100), Demand(100, max_output_tokens=100)
        held = decider.beliefs.reservation_usd(decider.catalog["large"], context, demand)
        return decider.forecasts("qa", 100)["large"].cost_usd, held
