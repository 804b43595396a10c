"""Newcomers on arrays: what a policy makes of a launch, replication by replication."""

import numpy as np

from banditroute.learning.newcomers import Newcomers
from banditroute.learning.policy import LearningPolicy, PolicySettings, Step
from banditroute.learning.rollout import RolloutSettings

SETTINGS = RolloutSettings()
MODELS, NEW = 3, 2
MEANS = {"good": (0.5, 0.8, 0.95), "bad": (0.5, 0.8, 0.2)}


class Play:
    """R replications of one class of requests; model NEW may serve once it is launched."""

    def __init__(self, replications: int, budget_usd: float | None = None, seed: int = 0) -> None:
        budgets = None if budget_usd is None else np.full(replications, budget_usd)
        self.policy = LearningPolicy((replications, 1, MODELS), 2, budgets, PolicySettings())
        self.generators = [np.random.default_rng([seed, r]) for r in range(replications)]
        self.eligible = np.arange(MODELS) != NEW

    def launch(self) -> None:
        self.eligible = np.ones(MODELS, dtype=bool)
        self.policy.welcome(NEW)

    def run(self, requests: int, kind: str) -> np.ndarray:
        """The arms (R, n)."""
        replications = len(self.generators)
        zeros, every = np.zeros(replications, np.int64), np.arange(replications)
        arms = np.empty((replications, requests), np.int64)
        for t in range(requests):
            normal = np.stack([rng.standard_normal(MODELS) for rng in self.generators])
            uniform = np.array([rng.random() for rng in self.generators])
            x = np.tile([1.0, 0.0], (replications, 1))
            step = Step(zeros, zeros, x, np.tile(self.eligible, (replications, 1)), normal, uniform)
            arm = self.policy.choose(step)
            shown = np.array(MEANS[kind]) + 0.1 * np.stack([rng.standard_normal(MODELS) for rng in self.generators])
            self.policy.learn(step, arm, shown[every, arm], np.array([1e-4, 2e-4, 2e-4])[arm])
            arms[:, t] = arm
        return arms


def launched(replications: int, kind: str, requests: int, budget_usd: float | None = 1e-3) -> np.ndarray:
    play = Play(replications, budget_usd)
    play.run(60, kind)
    play.launch()
    return play.run(requests, kind) == NEW


def test_where_nobody_is_known_nobody_is_new() -> None:
    play = Play(2)
    play.launch()
    assert not play.policy.newcomers


def test_a_good_one_is_in_steady_use_and_a_bad_one_rolled_back() -> None:
    assert (launched(6, "good", 200)[:, 100:].mean(1) > 0.5).all()
    bad = launched(6, "bad", 400)
    assert (bad.sum(1) <= SETTINGS.trial_requests + 5).all()
    assert bad[:, 200:].mean() < 5 * SETTINGS.probe_share


def test_a_replication_does_not_notice_its_neighbours() -> None:
    together = launched(5, "bad", 120)
    for replications in (1, 3):
        assert (launched(replications, "bad", 120) == together[:replications]).all()


def test_a_trial_needs_a_budget_that_its_requests_fit_in() -> None:
    """Once a first request has shown what it costs, twice the budget."""
    assert launched(8, "bad", 300, budget_usd=1e-4).sum(1).max() < SETTINGS.trial_requests


def test_each_replication_is_bent_by_its_own_evidence() -> None:
    newcomers = Newcomers(2, MODELS, SETTINGS)
    assert not newcomers
    newcomers.welcome(NEW)
    assert newcomers.arms == [NEW]
    newcomers.rolled_back[:] = [[False, False, False], [False, False, True]]
    worth = np.array([[0.9, 0.5, 0.6]] * 2)
    everybody = np.ones((2, MODELS), dtype=bool)
    eligible, floor = newcomers.bend(everybody, worth, np.full((2, MODELS), 0.5), np.array([[50.0, 50.0, 3.0]] * 2))
    assert eligible.tolist() == [[True, True, True], [True, True, False]]
    assert floor.tolist() == [[0.0, 0.0, SETTINGS.trial_share], [0.0, 0.0, SETTINGS.probe_share]]
