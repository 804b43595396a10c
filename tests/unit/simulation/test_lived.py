"""`simulate` under a scenario with traffic: the live router is played, and caps are seen to their windows' ends."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from banditroute.errors import ConfigError, InputError
from banditroute.routing.budgets import Cap, PacedBudget, Scope
from banditroute.simulation.run import simulate
from banditroute.simulation.scenario import Feedback, OutageEvent, PriceEvent, QualityEvent, Scenario
from banditroute.simulation.scenario_traffic import Traffic
from banditroute.simulation.table import OutcomeTable

A_DAY = Traffic(arrivals=200 / 86_400, tenants={"acme": 1.0, "beta": 1.0})
CAPS = (Cap("acme", 0.3, "day", Scope("tenant", "acme")), Cap("all", 20.0, "month"))


def test_caps_are_reported_at_the_end_of_each_window(plain: OutcomeTable) -> None:
    scenario = Scenario(traffic=A_DAY, budgets=CAPS)
    (result,) = simulate(plain, seeds=range(2), scenario=scenario).results
    ends = {(window.budget, window.period): window for window in result.windows}
    assert ("acme", "2026-01-01") in ends
    month = ends["all", "2026-01"]
    assert month.spent_usd == pytest.approx(result.cost_usd * plain.requests)
    assert month.allowed_usd.tolist() == [20.0, 20.0]
    assert (ends["acme", "2026-01-01"].share <= 1.01).all()
    assert ends["acme", "2026-01-01"].share.mean() > 0.6
    assert result.share.sum() == pytest.approx(1.0)


def test_processes_change_nothing(plain: OutcomeTable) -> None:
    scenario = Scenario(traffic=A_DAY, budgets=(PacedBudget("pace", 0.003),))
    one, two = (simulate(plain, seeds=range(2), scenario=scenario, jobs=jobs).results[0] for jobs in (1, 2))
    assert one.quality.tolist() == two.quality.tolist()
    assert one.cost_usd.mean() == pytest.approx(0.003, rel=0.4)
    assert one.windows == ()


def test_budgets_beside_the_scenarios_are_paced(plain: OutcomeTable) -> None:
    results = simulate(plain, seeds=(0,), budgets_usd=[0.002, None], scenario=Scenario(traffic=A_DAY)).results
    tight, free = (float(result.cost_usd.mean()) for result in results)
    assert tight == pytest.approx(0.002, rel=0.4)
    assert free > 0.008


def test_quality_and_silent_prices_change_on_the_way(plain: OutcomeTable) -> None:
    events = (
        QualityEvent(at=100, model="large", set=0.1),
        PriceEvent(at=150, model="small", factor=3.0, announced=False),
    )
    (result,) = simulate(plain, seeds=range(4), scenario=Scenario(events=events, traffic=A_DAY)).results
    before, after, dearer = result.phases
    assert (before.quality > 0.8).all()
    assert (after.quality < 0.6).all()
    assert dearer.cost_usd.min() == pytest.approx(3e-4, rel=0.1)  # in other orders the other model is tried once more
    assert dearer.cost_usd.max() < 6e-4


def test_what_is_not_played_in_time_gets_one_line(plain: OutcomeTable) -> None:
    scenario = Scenario(traffic=A_DAY)
    with pytest.raises(InputError, match=r"greedy does not play a scenario with \[traffic\]"):
        simulate(plain, policies=["greedy"], scenario=scenario)
    with pytest.raises(InputError, match="starts cold"):
        simulate(plain, warmup=plain, scenario=scenario)
    with pytest.raises(ConfigError, match="feedback: is not played with"):
        simulate(plain, scenario=replace(scenario, feedback=Feedback(missing=0.5)))
    away = Scenario(events=(OutageEvent(at=1, until=9, model="large"),), traffic=A_DAY, lines=(7,), path="storm.toml")
    with pytest.raises(ConfigError, match=r"storm.toml:7: event\[0\].kind: outage is not played with \[traffic\]"):
        simulate(plain, scenario=away)


def test_budgets_that_cover_nobody_or_share_a_name_get_one_line(plain: OutcomeTable) -> None:
    nobody = Cap("acme", 0.3, "day", Scope("tenant", "acne"))
    with pytest.raises(ConfigError, match=r"budgets\[1\].scope: no request is on behalf of 'acne'"):
        simulate(plain, scenario=Scenario(traffic=A_DAY, budgets=(CAPS[1], nobody)))
    with pytest.raises(ConfigError, match=r"budgets\[2\].name: an earlier budget is named 'acme' too"):
        simulate(plain, scenario=Scenario(traffic=A_DAY, budgets=(*CAPS, CAPS[0])))
    task = Cap("cap", 0.3, "day", Scope("task", "poetry"))
    with pytest.raises(ConfigError, match="the table has no class 'poetry'"):
        simulate(plain, scenario=Scenario(traffic=A_DAY, budgets=(task,)))


@pytest.mark.parametrize("ignored", ["classes", "features"])
def test_what_is_not_wanted_of_the_table_is_not_used(plain: OutcomeTable, ignored: str) -> None:
    kind = np.arange(plain.requests) % 2
    quality = np.where(kind[:, None] == [0, 1], 0.9, 0.2)
    told = {"tasks": ("a", "b"), "task_of": kind} if ignored == "classes" else {"features": kind[:, None] - 0.5}
    table = replace(plain, quality=quality, cost_usd=np.full(quality.shape, 1e-3), **told)
    known, unknown = (
        float(simulate(table, seeds=(0,), scenario=Scenario(traffic=A_DAY), **options).results[0].quality[0])
        for options in ({}, {ignored: "none"})
    )
    assert known > 0.8
    assert unknown < 0.7


def test_rows_without_a_model_are_served_by_another(plain: OutcomeTable) -> None:
    quality, cost = plain.quality.copy(), plain.cost_usd.copy()
    quality[::2, 1], cost[::2, 1] = np.nan, np.nan
    table = replace(plain, quality=quality, cost_usd=cost, latency_s=np.full(quality.shape, np.nan))
    (result,) = simulate(table, seeds=(0,), scenario=Scenario(traffic=A_DAY)).results
    assert 0.4 < result.share[1] <= 0.5
