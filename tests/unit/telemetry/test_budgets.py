from __future__ import annotations

import pytest

from banditroute.records import Context, Demand
from banditroute.routing.budgets import Cap, PacedBudget
from banditroute.routing.catalog import Catalog, Model, Price
from banditroute.routing.decider import Decider
from banditroute.routing.ledger import Ledger
from banditroute.telemetry.budgets import FAMILIES, readings

NOON = 1_795_608_000.0
CATALOG = Catalog((Model("small", "p", "small", Price(1.0, 4.0)),))
DAY, FLOWING = Cap("day", 10.0, "day"), Cap("month", 100.0, "month", paced=False)


class World:
    def __init__(self) -> None:
        paces = [PacedBudget("pace", 0.002)]
        self.decider = Decider(CATALOG, ("qa",), budgets=paces, caps=[DAY])
        self.ledger = Ledger([DAY, FLOWING])

    def request(self, at: float, usd: float) -> None:
        self.decider.pacers.arrived("", "qa", at, self.ledger)
        self.decider.spend(usd, task="qa")
        self.ledger.reserve("r", usd, "", "qa", at, at + 60.0)
        self.ledger.settle("r", usd)

    def shown(self, now: float) -> dict[tuple[str, str], float]:
        found = list(readings(self.decider, self.ledger, self.decider.paces, now))
        assert [each.family for each in found] == list(FAMILIES)
        return {
            (each.family.name.removeprefix("banditroute_budget_"), labels[0]): value
            for each in found
            for labels, value in each.rows
        }


def test_caps_and_paces_are_shown_as_they_stand() -> None:
    world = World()
    for number in range(60):
        world.request(NOON + 60.0 * number, 0.001)
    world.ledger.reserve("held", 0.5, "", "qa", NOON + 3600.0, NOON + 7200.0)
    shown = world.shown(NOON + 3600.0)
    assert shown["spent_usd", "day"] == pytest.approx(0.06)
    assert (shown["limit_usd", "day"], shown["reserved_usd", "day"]) == (10.0, 0.5)
    assert shown["left_usd", "month"] == pytest.approx(100.0 - 0.56)
    assert shown["window_end_timestamp_seconds", "day"] == NOON + 43_200.0
    assert shown["forecast_usd", "day"] == pytest.approx(12 * 0.06, rel=0.05), "an hour of twelve is over"
    assert shown["pace_usd", "pace"] == 0.002
    assert shown["pace_spent_ratio", "pace"] == pytest.approx(0.5, rel=0.1)
    assert shown["shadow_price_points", "pace"] == world.decider.shadow_prices["pace"]
    assert ("forecast_usd", "month") not in shown, "what is not paced is not forecast"


def test_looking_changes_nothing() -> None:
    """Even hours later, when the next request would pace anew."""
    watched, alone = World(), World()
    for world in (watched, alone):
        for number in range(30):
            world.request(NOON + number, 0.01)
    later = NOON + 5 * 3600.0
    before = watched.decider.paces
    watched.shown(later)
    assert watched.decider.paces == before
    for world in (watched, alone):
        world.request(later + 1.0, 0.01)
    assert watched.decider.paces == alone.decider.paces
    assert watched.ledger.left_usd("", "qa", later + 2.0) == alone.ledger.left_usd("", "qa", later + 2.0)


def test_regret_is_counted_in_the_points_that_decisions_are_made_by() -> None:
    decider = Decider(
        Catalog((*CATALOG, Model("large", "p", "large", Price(50.0, 200.0)))),
        ("qa",),
        budgets=[PacedBudget("pace", 0.002)],
        quality_per_s=0.01,
    )
    decision = decider.decide(Context("qa", (), 100), Demand(100), decision_id="d", now=NOON, u=0.5)
    worth, small = decider.worth(decision), decision.forecasts["small"]
    usd_price = decider.shadow_prices["pace"] / 0.002
    assert worth["small"] == pytest.approx(small.quality - usd_price * small.cost_usd - 0.01 * small.latency_s)
    assert worth["small"] == pytest.approx(small.quality - decider.points(small))
    assert worth["large"] < worth["small"]
