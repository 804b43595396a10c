from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from banditroute.learning.policy import (
    EPSILON_GREEDY,
    GREEDY,
    LINUCB,
    THOMPSON,
    Allocation,
    Exploration,
    LearningPolicy,
    PolicySettings,
    Signal,
    Step,
)
from banditroute.learning.priors import QUALITY

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

R, CLASSES, WIDTH = 8, 2, 3
TRUTH = np.array([[0.3, 0.7, 0.8], [0.8, 0.75, 0.85]])  # (classes, models)
COST_USD = np.array([1e-5, 2e-4, 5e-3])
MODELS = COST_USD.size


def step(rng: np.random.Generator, eligible: Bools | None = None) -> Step:
    x = np.column_stack([np.ones(R), rng.normal(size=(R, WIDTH - 1))])
    open_to = np.ones((R, MODELS), dtype=np.bool_) if eligible is None else eligible
    task = rng.integers(CLASSES, size=R)
    return Step(np.zeros(R, dtype=np.int64), task, x, open_to, rng.normal(size=(R, MODELS)), rng.random(R))


def policy(exploration: Exploration = THOMPSON, budget_usd: float | None = None) -> LearningPolicy:
    budget = None if budget_usd is None else np.full(R, budget_usd)
    return LearningPolicy((R, CLASSES, MODELS), WIDTH, budget, PolicySettings(exploration=exploration))


def run(learner: LearningPolicy, requests: int, seed: int = 0) -> tuple[Ints, Floats]:
    """Arms (requests, R) chosen and the dollars they cost."""
    rng = np.random.default_rng(seed)
    arms = []
    for _ in range(requests):
        now = step(rng)
        arm = learner.choose(now)
        arms.append(arm)
        outcome = np.clip(TRUTH[now.task, arm] + rng.normal(0, 0.1, R), 0, 1)
        learner.learn(now, arm, outcome, COST_USD[arm])
    return np.array(arms), COST_USD[np.array(arms)]


@pytest.mark.parametrize("exploration", [THOMPSON, GREEDY, LINUCB, EPSILON_GREEDY])
@pytest.mark.parametrize("budget_usd", [None, 3e-4])
def test_only_eligible_arms_are_chosen(exploration: Exploration, budget_usd: float | None) -> None:
    rng = np.random.default_rng(1)
    learner = policy(exploration, budget_usd)
    for _ in range(60):
        eligible = rng.random((R, MODELS)) < 0.5
        eligible[np.arange(R), rng.integers(MODELS, size=R)] = True
        now = step(rng, eligible)
        arm = learner.choose(now)
        assert eligible[np.arange(R), arm].all()
        learner.learn(now, arm, rng.random(R), COST_USD[arm])


def test_without_a_budget_the_best_model_wins_whatever_it_costs() -> None:
    arms, _ = run(policy(), 600)
    assert (arms[-200:] == 2).mean() > 0.8


@pytest.mark.parametrize("budget_usd", [1e-4, 1e-3])
def test_a_budget_holds_on_average(budget_usd: float) -> None:
    _, cost = run(policy(budget_usd=budget_usd), 1500)
    assert 0.7 < cost.mean() / budget_usd < 1.08


def test_a_larger_budget_buys_dearer_models() -> None:
    small, large = (run(policy(budget_usd=budget), 400)[0] for budget in (5e-5, 2e-3))
    assert (large == 2).mean() > (small == 2).mean() + 0.05


def test_greedy_draws_on_no_chance_at_all() -> None:
    learner = policy(GREEDY)
    run(learner, 50)
    rng = np.random.default_rng(3)
    now = step(rng)
    other = now._replace(normal=rng.normal(size=now.normal.shape), uniform=rng.random(R))
    np.testing.assert_array_equal(learner.choose(now), learner.choose(other))


def test_optimism_adds_a_share_of_the_width_to_the_score() -> None:
    """Of two models of equal mean the less known one is chosen."""
    learner = policy(LINUCB)
    rng = np.random.default_rng(4)
    none = np.zeros(R, dtype=np.int64)
    for _ in range(5):
        now = step(rng)._replace(task=none)
        learner.choose(now)
        learner.learn(now, none, np.full(R, QUALITY.mean), np.full(R, 1e-4))
    assert (learner.choose(step(rng)._replace(task=none)) != 0).all()


def test_a_missing_judgement_teaches_dollars_only() -> None:
    learner, rng = policy(budget_usd=1e-3), np.random.default_rng(5)
    now = step(rng)
    arm = learner.choose(now)
    quality, cost = learner.quality.posterior.block.copy(), learner.log_cost.posterior.block.copy()
    learner.learn(now, arm, np.full(R, np.nan), COST_USD[arm])
    np.testing.assert_array_equal(learner.quality.posterior.block, quality)
    assert (learner.log_cost.posterior.block != cost).any()
    learner.refresh()
    assert learner.quality.evidence.n.sum() == 0
    assert learner.log_cost.evidence.n.sum() == R


def test_some_missing_judgements_leave_the_other_replications_as_they_were() -> None:
    rng = np.random.default_rng(6)
    some, every = (Signal(QUALITY, (R, CLASSES, MODELS), WIDTH, None) for _ in range(2))
    now, arm, y = step(rng), rng.integers(MODELS, size=R), rng.random(R)
    missing = np.arange(R) % 3 == 0
    lead = (np.arange(R),)
    every.learn(lead, now.task, arm, now.x, y, every.predict(now.task, now.x))
    untouched = some.posterior.block.copy()
    some.learn(lead, now.task, arm, now.x, np.where(missing, np.nan, y), some.predict(now.task, now.x))
    np.testing.assert_allclose(some.posterior.block[~missing], every.posterior.block[~missing], atol=1e-14)
    np.testing.assert_array_equal(some.posterior.block[missing], untouched[missing])
    some.refresh()
    np.testing.assert_array_equal(some.evidence.n.sum((1, 2)), ~missing)


def test_a_refresh_brings_the_news_to_other_classes() -> None:
    signal = Signal(QUALITY, (1, CLASSES, MODELS), WIDTH, None)
    x, none = np.array([[1.0, 0.0, 0.0]]), np.zeros(1, dtype=np.int64)
    elsewhere = none + 1
    before = signal.predict(elsewhere, x).mean[0, 0]
    for _ in range(30):
        signal.learn((none,), none, none, x, np.array([0.1]), signal.predict(none, x))
    assert signal.predict(elsewhere, x).mean[0, 0] == before
    signal.refresh()
    assert signal.predict(elsewhere, x).mean[0, 0] < before - 0.2


def test_allocation_draws_by_row_and_renormalises_over_the_eligible() -> None:
    probabilities = np.array([[[0.0, 1.0, 0.0]], [[0.5, 0.0, 0.5]]])
    rule = np.array([0, 0, 1, 1, 1, 1, 0, 0])
    eligible = np.ones((R, MODELS), dtype=np.bool_)
    eligible[3, 0] = eligible[6, 1] = eligible[6, 2] = False
    now = step(np.random.default_rng(0), eligible)._replace(uniform=np.array([0, 0.9, 0.49, 0.1, 0.51, 0, 0.7, 0.5]))
    assert Allocation(probabilities, rule).choose(now).tolist() == [1, 1, 0, 2, 2, 0, 0, 1]


def test_late_judgements_leave_the_belief_that_prompt_ones_do() -> None:
    prompt, late = policy(GREEDY), policy(GREEDY)
    rng = np.random.default_rng(7)
    steps = [step(rng) for _ in range(30)]
    waiting: list[tuple[Step, Ints, Floats]] = []
    for now in steps:
        prompt.choose(now)
        late.choose(now)
        arm = rng.integers(MODELS, size=R)
        quality = rng.random(R)
        prompt.learn(now, arm, quality, COST_USD[arm])
        late.learn(now, arm, np.full(R, np.nan), COST_USD[arm])
        waiting.append((now, arm, quality))
    silent = late.quality.posterior.mean.copy()
    for now, arm, quality in waiting:
        late.judge(now, arm, quality)
    assert np.abs(late.quality.posterior.mean - silent).max() > 0.1, "they act before the next refresh"
    prompt.refresh()
    late.refresh()
    np.testing.assert_allclose(late.quality.posterior.mean, prompt.quality.posterior.mean)
    np.testing.assert_allclose(late.log_cost.posterior.mean, prompt.log_cost.posterior.mean)


def test_a_judgement_that_never_comes_teaches_nothing() -> None:
    learner = policy()
    now = step(np.random.default_rng(0))
    before = learner.quality.posterior.mean.copy()
    learner.judge(now, learner.choose(now), np.full(R, np.nan))
    learner.refresh()
    np.testing.assert_array_equal(learner.quality.posterior.mean, before)


def test_an_announced_price_acts_on_the_next_forecast_of_that_model_alone() -> None:
    learner = policy(EPSILON_GREEDY)
    run(learner, 200)
    now = step(np.random.default_rng(5))
    before = learner.log_cost.predict(now.task, now.x).mean
    learner.reprice(1, 0.1)
    after = learner.log_cost.predict(now.task, now.x).mean
    np.testing.assert_allclose(after[:, 1] - before[:, 1], np.log(0.1), atol=0.1)
    np.testing.assert_allclose(after[:, [0, 2]], before[:, [0, 2]], atol=0.1)


def test_a_new_budget_is_kept_whether_or_not_there_was_one() -> None:
    for first in (None, 2e-5, 2e-3):
        learner = policy(budget_usd=first)
        run(learner, 300)
        learner.rebudget(8e-5)
        _, cost = run(learner, 600, seed=1)
        assert 0.8 < cost[100:].mean() / 8e-5 < 1.1


def test_an_allocation_goes_on_whatever_it_is_told() -> None:
    rule = Allocation(np.tile(np.eye(MODELS)[2], (1, 1, 1)), np.zeros(R, dtype=np.int64))
    now = step(np.random.default_rng(0))
    rule.judge(now, np.zeros(R, dtype=np.int64), np.ones(R))
    rule.reprice(2, 100.0)
    rule.rebudget(1e-9)
    assert (rule.choose(now) == 2).all()
