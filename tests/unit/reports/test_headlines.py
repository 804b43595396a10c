"""The headline must be true in every case, so each case is spelled out."""

from dataclasses import replace

import numpy as np
import pytest

from banditroute.reports.findings import best_fixed, gap_closed, lead_results, leaders, telling_result
from banditroute.reports.headlines import headline
from banditroute.simulation.results import FixedModel, Frontier


@pytest.fixture
def case(make):
    """A result with two known models and one result of thompson whose seeds are given."""
    base = make(policies=("thompson",), budgets=(0.001,), seeds=3)

    def build(quality, cost_usd=0.0009, budget=0.001, best_cost_usd=0.01, policy="thompson"):
        fixed = {"small": FixedModel(0.7, 0.0001, 900), "large": FixedModel(0.9, best_cost_usd, 900)}
        seeds = tuple(range(len(quality)))
        costs = np.full(len(quality), cost_usd)
        one = replace(
            base.results[0], quality=np.array(quality), cost_usd=costs, seeds=seeds, budget_usd=budget, policy=policy
        )
        envelope = Frontier(np.array([0.0001, max(best_cost_usd, 0.0002)]), np.array([0.7, 0.9]))
        return replace(base, models=("small", "large"), fixed=fixed, envelope=envelope, results=(one,))

    return build


@pytest.mark.parametrize(
    ("quality", "sentence"),
    [
        (
            (0.889, 0.890, 0.891),
            "At $0.001 per request thompson reached quality "
            ".890, .010 short of always calling large (.900), for 9% of its "
            "cost; a fixed mix of models at the same spend gets .716, .174 less.",
        ),
        (
            (0.919, 0.920, 0.921),
            "At $0.001 per request thompson reached quality "
            ".920, better than always calling large (.900), for 9% of its "
            "cost; a fixed mix of models at the same spend gets .716, .204 less.",
        ),
        (
            (0.8999, 0.9, 0.9001),
            "At $0.001 per request thompson reached quality "
            ".900, the same as always calling large (.900), for 9% of its "
            "cost; a fixed mix of models at the same spend gets .716, .184 less.",
        ),
        (
            (0.88, 0.9, 0.93),
            "At $0.001 per request thompson reached quality "
            ".903, within seed noise of always calling large (.900), for 9% "
            "of its cost; a fixed mix of models at the same spend gets .716, .187 less.",
        ),
        (
            (0.699, 0.7, 0.701),
            "At $0.001 per request thompson reached quality "
            ".700, .200 short of always calling large (.900), for 9% of its "
            "cost; a fixed mix of models at the same spend gets .716, .016 more.",
        ),
        (
            (0.8,),
            "At $0.001 per request thompson reached quality "
            ".800, .100 short of always calling large (.900), for 9% of its "
            "cost; a fixed mix of models at the same spend gets .716, .084 less (one seed).",
        ),
    ],
)
def test_quality_is_compared_with_the_best_model_and_the_mix(case, quality, sentence):
    assert headline(case(quality)) == sentence


def test_a_mix_within_seed_noise_is_not_called_worse(case):
    assert headline(case((0.70, 0.72, 0.75))).endswith("gets .716, no different within seed noise.")
    assert headline(case((0.715, 0.716, 0.717))).endswith("at the same spend gets the same.")


def test_overspending_is_said(case):
    assert headline(case((0.88, 0.89, 0.9), cost_usd=0.0015)).startswith(
        "At $0.001 per request, overspent by 50%, thompson"
    )


def test_no_budget_states_the_spend(case):
    sentence = headline(case((0.85, 0.85, 0.85), budget=None))
    assert sentence.startswith("Without a budget thompson reached quality .850 at $0.00090 per request, .050 short of")


@pytest.mark.parametrize(
    ("cost_usd", "words"),
    [
        (0.0101, "at about the same cost."),
        (0.025, "for 2.5 times its cost."),
        (0.0096, "at about the same cost; a fixed mix"),
    ],
)
def test_cost_is_compared_with_that_of_the_best_model(case, cost_usd, words):
    assert words in headline(case((0.9, 0.9, 0.9), cost_usd=cost_usd, budget=None))


def test_a_free_best_model(case):
    assert "always calling large (.900), which is free" in headline(case((0.8, 0.8, 0.8), best_cost_usd=0.0))
    assert "always calling large (.900), both free" in headline(case((0.8, 0.8, 0.8), cost_usd=0.0, best_cost_usd=0.0))


def test_one_model_leaves_nothing_to_route(make, world):
    sentence = headline(make(world(models=("only",)), policies=("thompson",), budgets=(0.001,)))
    assert sentence.endswith("with only as the only model there was nothing to route.")


def test_no_results(make, usual):
    assert headline(replace(usual, results=())) == "No policy was simulated."


def test_the_headline_quotes_the_cheapest_budget_that_comes_close(make):
    result = make(policies=("mixture", "thompson"))
    lead = lead_results(result)
    assert {one.policy for one in lead} == {"thompson"}
    assert [one.budget_usd for one in lead] == sorted(one.budget_usd for one in lead)
    floor = best_fixed(result)[1].quality - 0.01
    close = [one for one in lead if one.quality.mean() >= floor and one.utilisation.mean() <= 1.01]
    assert telling_result(result) is (close[0] if close else max(lead, key=lambda one: one.quality.mean()))


def test_without_thompson_the_first_policy_leads(make):
    assert {one.policy for one in lead_results(make(policies=("mixture", "greedy")))} == {"mixture"}


def test_gap_closed_runs_from_envelope_to_oracle(usual):
    one = replace(usual.results[0], envelope_quality=0.8, oracle_quality=0.9, quality=np.array([0.82, 0.83]))
    one = replace(one, cost_usd=np.full(2, one.budget_usd))
    assert gap_closed(one) == pytest.approx(0.25)
    assert np.isnan(gap_closed(replace(one, oracle_quality=0.8005)))
    assert np.isnan(gap_closed(replace(one, cost_usd=np.full(2, one.budget_usd * 1.02))))


def test_leaders_hold_the_budget_and_may_tie(usual):
    held = (replace(usual.results[0].phases[0], budget_usd=0.001),)
    base = replace(usual.results[0], budget_usd=0.001, cost_usd=np.full(3, 0.001), phases=held)
    best = replace(base, policy="a", quality=np.array([0.90, 0.91, 0.92]))
    tied = replace(base, policy="b", quality=np.array([0.89, 0.90, 0.91]))
    worse = replace(base, policy="c", quality=np.array([0.80, 0.801, 0.802]))
    spent = replace(base, policy="d", quality=np.array([0.95, 0.95, 0.95]), cost_usd=np.full(3, 0.0011))
    seer = replace(base, policy="oracle", quality=np.array([0.99, 0.99, 0.99]))
    assert leaders((seer, best, tied, worse, spent)) == (False, True, True, False, False)
    assert leaders((best, seer)) == (False, False)
