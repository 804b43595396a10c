from __future__ import annotations

from banditroute.learning.knowing import Known
from banditroute.records import Context, Demand, Outcome
from banditroute.routing.catalog import Catalog, Model, Price
from banditroute.routing.decider import Decider
from banditroute.routing.guards import GuardSettings, guards_of
from banditroute.routing.promises import Promise, keepers
from banditroute.telemetry.steered import FAMILIES, readings

CATALOG = Catalog((Model("small", "p", "small", Price(1.0, 4.0)), Model("large", "p", "large", Price(2.0, 8.0))))
GUARDS = GuardSettings(baseline="small", most_exploration=0.2, explore_usd_per_day=1.0, known=Known())
NOW = 1_000.0


def decider_of(*, good: float, poor: float) -> Decider:
    promise = Promise("fast", 0.1, latency_s=2.0)
    decider = Decider(CATALOG, ("qa",), rules=(*guards_of(GUARDS), *keepers([promise])))
    for _ in range(200):
        for model, quality in (("small", good), ("large", poor)):
            decider.learn(Context("qa"), model, quality=quality, output_tokens=100, latency_s=1.0)
    decider.refresh()
    return decider


def serve(decider: Decider, requests: int, latency_s: float) -> None:
    for number in range(requests):
        decision = decider.decide(Context("qa"), Demand(10), decision_id=f"{number}", now=NOW, u=0.5)
        decider.expect(decision)
        outcome = Outcome(decision.decision_id, decision.chosen, NOW, None, 0.0, latency_s)
        decider.settled(decision, outcome)


def shown(decider: Decider, **switches: str) -> dict[tuple[str, ...], float]:
    found = list(readings(decider, switches, decider.paces, NOW))
    assert [each.family for each in found] != []
    assert {each.family for each in found} == set(FAMILIES)
    return {
        (each.family.name.removeprefix("banditroute_"), *labels): value for each in found for labels, value in each.rows
    }


def test_guards_promises_and_what_they_found() -> None:
    decider = decider_of(good=0.95, poor=0.2)
    serve(decider, 200, latency_s=3.0)
    found = shown(decider)
    assert found["guard_decisions_total", "exploration"] == 200
    assert found["guard_decisions_total", "baseline/small"] == 200
    assert 0 <= found["guard_bent_total", "best"] <= 200
    assert found["best_model_known", "qa", "small"] == 1
    assert ("best_model_known", "qa", "large") not in found
    assert ("guard_margin_points", "baseline") in found
    assert found["guard_exploration_used_usd", "exploration"] >= 0.0
    assert (found["promise_requests_total", "fast"], found["promise_late_total", "fast"]) == (200, 200)
    assert found["promise_epsilon_ratio", "fast"] == 0.1
    assert found["promise_shadow_price_points", "fast"] > 0.1, "all of them were late"


def test_a_switch_is_shown_while_it_is_thrown() -> None:
    decider = decider_of(good=0.5, poor=0.5)
    found = shown(decider, only="large", freeze="")
    assert found["switch_on", "only", "large"] == 1
    assert [place for place in found if place[:2] == ("switch_on", "freeze")] == []
