"""Simulating under a scenario: what policies get, what they notice, and what they are told."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import banditroute
from banditroute.errors import ConfigError
from banditroute.simulation.loading import load_table
from banditroute.simulation.results import PolicyResult
from banditroute.simulation.run import simulate
from banditroute.simulation.scenario import (
    AddEvent,
    BudgetEvent,
    Event,
    Feedback,
    LatencyEvent,
    OutageEvent,
    PriceEvent,
    QualityEvent,
    RemoveEvent,
    Scenario,
)
from banditroute.simulation.table import OutcomeTable

DATA = Path(banditroute.__file__).parent / "data"
BuildTable = Callable[..., OutcomeTable]
LLAMA, MISTRAL, GEMINI = "llama-3.1-8b-instruct", "mistral-large-2512", "gemini-2.5-pro"


@pytest.fixture(scope="module")
def scored() -> OutcomeTable:
    return load_table(DATA / "demo_table.jsonl.gz").select(slice(0, 600))


@pytest.fixture(scope="module")
def warmup() -> OutcomeTable:
    return load_table(DATA / "demo_warmup.jsonl.gz").select(slice(0, 400))


def under(*events: Event, **feedback: object) -> Scenario:
    return Scenario(events=events, feedback=Feedback(**feedback))  # pyright: ignore[reportArgumentType]


def qualities(result: PolicyResult) -> list[float]:
    return [float(phase.quality.mean()) for phase in result.phases]


def costs(result: PolicyResult) -> list[float]:
    return [float(phase.cost_usd.mean()) for phase in result.phases]


def test_a_fixed_model_gets_what_each_stretch_says(plain: OutcomeTable) -> None:
    scenario = under(
        PriceEvent(at=50, model="large", factor=0.1),
        QualityEvent(at=100, model="large", set=0.7),
        LatencyEvent(at=100, model="large", factor=3.0),
        PriceEvent(at=100, model="large", factor=1.0),
    )
    result = simulate(plain, policies=["fixed:large", "fixed:small"], seeds=range(2), scenario=scenario)
    large, small = result.results
    assert [(phase.first, phase.last) for phase in large.phases] == [(0, 50), (50, 100), (100, 200)]
    assert qualities(large) == pytest.approx([0.9, 0.9, 0.7])
    assert costs(large) == pytest.approx([1e-2, 1e-3, 1e-2])
    assert [float(p.latency_s.mean()) for p in large.phases if p.latency_s is not None] == pytest.approx([1, 1, 3])
    assert large.quality == pytest.approx([0.8, 0.8])
    assert result.fixed["large"].quality == pytest.approx(0.8)
    assert qualities(small) == pytest.approx([0.5] * 3)
    assert result.scenario == "scenario"


def test_nothing_that_happens_is_nothing_to_the_last_bit(scored: OutcomeTable, warmup: OutcomeTable) -> None:
    nothing = under(
        QualityEvent(at=200, model=MISTRAL, shift=0.0), PriceEvent(at=300, model=GEMINI, factor=1.0, announced=False)
    )
    settings = {"warmup": warmup, "policies": ["thompson", "class-lp", "oracle"], "budgets_usd": [3e-4], "seeds": [3]}
    quiet, eventful = simulate(scored, **settings), simulate(scored, **settings, scenario=nothing)
    for before, after in zip(quiet.results, eventful.results, strict=True):
        np.testing.assert_array_equal(before.quality, after.quality)
        np.testing.assert_array_equal(before.trace.spend_usd, after.trace.spend_usd)
        assert before.oracle_quality == pytest.approx(after.oracle_quality, abs=1e-12)
        assert len(after.phases) == 3


def test_a_seed_does_not_depend_on_its_neighbours_nor_on_processes(scored: OutcomeTable) -> None:
    scenario = under(
        OutageEvent(at=100, model=MISTRAL, until=150),
        BudgetEvent(at=200, usd_per_request=1e-3),
        delay_requests=7,
        missing=0.5,
    )
    many = simulate(scored, budgets_usd=[1e-4, 3e-4], seeds=range(3), scenario=scenario)
    one = simulate(scored, budgets_usd=[3e-4], seeds=[2], scenario=scenario)
    spread = simulate(scored, policies=["thompson", "random"], budgets_usd=[3e-4], seeds=[2], scenario=scenario, jobs=2)
    assert many.results[1].quality[2] == one.results[0].quality[0] == spread.results[0].quality[0]
    assert many.results[1].cost_usd[2] == one.results[0].cost_usd[0] == spread.results[0].cost_usd[0]


@pytest.mark.parametrize(
    "policy", ["thompson", "linucb", "epsilon", "class-lp", "mixture", "random", f"fixed:{MISTRAL}"]
)
def test_a_model_that_is_away_serves_nobody(scored: OutcomeTable, warmup: OutcomeTable, policy: str) -> None:
    scenario = under(
        OutageEvent(at=100, model=MISTRAL, until=200),
        PriceEvent(at=200, model=LLAMA, factor=1.0),
        RemoveEvent(at=400, model=GEMINI),
        AddEvent(at=500, model="new", like=GEMINI),
    )
    (result,) = simulate(
        scored, warmup=warmup, policies=[policy], budgets_usd=[1e-3], seeds=range(2), scenario=scenario
    ).results
    share = {
        phase.first: dict(zip((LLAMA, MISTRAL, GEMINI, "new"), phase.share, strict=True)) for phase in result.phases
    }
    assert share[100][MISTRAL] == 0
    assert share[0][MISTRAL] > 0
    assert share[200][MISTRAL] > 0
    assert share[400][GEMINI] == share[500][GEMINI] == 0
    assert all(share[at]["new"] == 0 for at in (0, 100, 200, 400))
    assert np.isfinite(result.quality).all()


def test_an_announced_price_is_acted_on_before_its_first_bill(build_table: BuildTable) -> None:
    """large gets unaffordable at request 400. Announced, nobody calls it again; else every seed pays one bill first."""
    rng = np.random.default_rng(0)
    quality = np.clip(np.array([0.6, 0.9]) + rng.normal(0, 0.05, (600, 2)), 0, 1)
    table = build_table(quality, np.tile([1e-4, 1e-3], (600, 1)), models=("small", "large"))

    def dollars(announced: bool) -> list[float]:
        events = (
            PriceEvent(at=400, model="large", factor=200.0, announced=announced),
            QualityEvent(at=420, model="small", shift=0.0),
        )
        (result,) = simulate(table, budgets_usd=[8e-4], seeds=range(5), scenario=under(*events)).results
        assert result.phases[0].share[1] > 0.7
        return result.phases[1].cost_usd.tolist()

    assert dollars(announced=True) == pytest.approx([1e-4] * 5)
    assert dollars(announced=False) == pytest.approx([(19 * 1e-4 + 0.2) / 20] * 5)


def test_a_drop_is_noticed_by_what_is_seen_alone(build_table: BuildTable) -> None:
    quality = np.tile([0.6, 0.9], (1500, 1))
    table = build_table(quality, np.full((1500, 2), 1e-3), models=("small", "large"))
    scenario = under(QualityEvent(at=300, model="large", set=0.1))
    (heard,) = simulate(table, seeds=range(3), scenario=scenario).results
    assert heard.phases[0].share[1] > 0.8
    assert heard.trace.share[-1, 1] < 0.2
    deaf = Scenario(events=scenario.events, feedback=Feedback(missing=1.0))
    (unheard,) = simulate(table, seeds=range(3), scenario=deaf).results
    assert unheard.trace.share[-20:, 1].mean() == pytest.approx(unheard.trace.share[:20, 1].mean(), abs=0.2)


def test_late_feedback_teaches_nothing_until_it_comes(build_table: BuildTable) -> None:
    table = build_table(np.tile([0.1, 0.9], (400, 1)), np.full((400, 2), 1e-3), models=("small", "large"))
    scenario = under(PriceEvent(at=100, model="small", factor=1.0), delay_requests=100)
    (late,) = simulate(table, seeds=range(5), scenario=scenario).results
    (prompt,) = simulate(table, seeds=range(5), scenario=under(*scenario.events)).results
    assert prompt.phases[0].share[1] > 0.8
    assert late.phases[0].share[1] < 0.7
    assert late.phases[1].share[1] > 0.8


def test_feedback_that_is_late_and_sparse_costs_little(scored: OutcomeTable, warmup: OutcomeTable) -> None:
    asked = {"warmup": warmup, "budgets_usd": [3e-4], "seeds": range(6)}
    (full,) = simulate(scored, **asked).results
    (sparse,) = simulate(scored, **asked, scenario=under(delay_requests=50, missing=0.7)).results
    assert sparse.quality.mean() < full.quality.mean()
    assert sparse.quality.mean() > full.quality.mean() - 0.02
    assert sparse.utilisation is not None
    assert sparse.utilisation.mean() < 1.05, "bills come at once"


def test_every_policy_follows_a_new_budget(scored: OutcomeTable, warmup: OutcomeTable) -> None:
    scenario = under(BudgetEvent(at=200, usd_per_request=2e-4), BudgetEvent(at=400, usd_per_request=5e-4))
    policies = ["thompson", "class-lp", "mixture", "oracle"]
    result = simulate(
        scored, warmup=warmup, policies=policies, budgets_usd=[3e-4, None], seeds=range(8), scenario=scenario
    )
    for one in result.results:
        assert [phase.budget_usd for phase in one.phases] == [one.budget_usd, 2e-4, 5e-4]
        for phase in one.phases[0 if one.budget_usd else 1 :]:
            assert phase.utilisation is not None
            assert 0.75 < phase.utilisation.mean() < 1.15
    budgeted, free = result.results[:2]
    assert budgeted.mean_budget_usd == pytest.approx((3e-4 + 2e-4 + 5e-4) / 3)
    assert free.utilisation is None


def test_a_budget_from_the_first_request_on_is_the_budget(scored: OutcomeTable) -> None:
    scenario = under(BudgetEvent(at=0, usd_per_request=2e-4))
    (free,) = simulate(scored, policies=["mixture"], budgets_usd=[None], seeds=[0], scenario=scenario).results
    assert free.mean_budget_usd == 2e-4
    assert free.utilisation is not None


def test_clairvoyant_knows_each_stretch_and_class_lp_the_first(scored: OutcomeTable, warmup: OutcomeTable) -> None:
    scenario = under(QualityEvent(at=300, model=MISTRAL, set=0.3))
    result = simulate(
        scored,
        warmup=warmup,
        policies=["class-lp", "clairvoyant", "oracle"],
        budgets_usd=[6e-4],
        seeds=range(4),
        scenario=scenario,
    )
    static, clairvoyant, oracle = result.results
    assert static.quality.mean() < clairvoyant.quality.mean() - 0.1
    assert oracle.quality.mean() == pytest.approx(oracle.oracle_quality, abs=0.01)
    assert (clairvoyant.quality < oracle.oracle_quality).all()
    assert static.phases[0].share == pytest.approx(clairvoyant.phases[0].share)
    assert "class-lp knows the table as it is at the first request." in result.notes
    assert "clairvoyant knows the outcomes of every stage, means by class." in result.notes


def test_a_good_newcomer_is_found_and_its_edges_are_reported(scored: OutcomeTable, warmup: OutcomeTable) -> None:
    scenario = under(AddEvent(at=200, model="new", like=GEMINI, cost_factor=0.01))
    result = simulate(
        scored, warmup=warmup, policies=["thompson"], budgets_usd=[3e-4], seeds=range(4), scenario=scenario
    )
    (routed,) = result.results
    assert result.models[-1] == "new"
    assert result.fixed["new"].rows == 400
    assert routed.phases[1].share[3] > 0.3
    assert any(edge.model == "new" and np.isfinite(edge.true_quality) for edge in routed.edges)
    assert f"new copies the outcomes of {GEMINI} from request 200 on." in result.notes


def test_what_does_not_fit_is_refused(scored: OutcomeTable) -> None:
    with pytest.raises(ConfigError, match="the table has no model 'gpt-9'"):
        simulate(scored, seeds=[0], scenario=under(RemoveEvent(at=1, model="gpt-9")))
