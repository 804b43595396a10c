"""A learning policy under a guard, on arrays: what the live guards do, for R replications side by side."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .guard import Conservative, HarmAccount
from .knowing import Known, averaged, is_known, leader
from .objective import expected_amount, utility
from .policy import LearningPolicy, Step

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class _Guarded:
    """Learns as the policy does that it guards."""

    def __init__(self, policy: LearningPolicy) -> None:
        self.policy = policy

    def learn(self, step: Step, arm: Ints, quality: Floats, cost_usd: Floats) -> None:
        """Takes in one outcome for each replication."""
        self.policy.learn(step, arm, quality, cost_usd)

    def judge(self, step: Step, arm: Ints, quality: Floats) -> None:
        """Takes in late judgements."""
        self.policy.judge(step, arm, quality)

    def reprice(self, arm: int, factor: float) -> None:
        """Takes in an announced price."""
        self.policy.reprice(arm, factor)

    def rebudget(self, budget_usd: float) -> None:
        """Takes in another budget."""
        self.policy.rebudget(budget_usd)

    def welcome(self, arm: int) -> None:
        """Takes in that a model enters now."""
        self.policy.welcome(arm)


class ConservativePolicy(_Guarded):
    """Chooses as another policy does among the arms that leave the harm account above nothing, or else the baseline.

    Args:
        policy: what is guarded.
        baseline: the arm that is held against.
        terms: what is promised.
    """

    def __init__(self, policy: LearningPolicy, baseline: int, terms: Conservative) -> None:
        evidence = policy.quality.evidence
        super().__init__(policy)
        self.account = HarmAccount(evidence.n.shape, evidence.b.shape[-1], baseline, terms)
        self._baseline = baseline
        self._solved = policy.quality.posterior

    def choose(self, step: Step) -> Ints:
        """The arms (R,) that serve."""
        posterior = self.policy.quality.posterior
        if posterior is not self._solved:
            self.account.review(posterior)
            self._solved = posterior
        safe = self.account.after(posterior, step.task, step.x) >= 0.0
        safe[:, self._baseline] = True
        guarded = step.eligible[:, self._baseline]  # else there is no baseline to hold against
        eligible = np.where(guarded[:, None], step.eligible & safe, step.eligible)
        arm = self.policy.choose(step._replace(eligible=eligible))
        self.account.serve(posterior, step.task, arm, np.where(guarded[:, None], step.x, 0.0))
        return arm


class KnowingPolicy(_Guarded):
    """Explores no longer in the task classes whose best arm is known.

    Args:
        policy: what explores otherwise.
        terms: when an arm counts as known.
    """

    def __init__(self, policy: LearningPolicy, terms: Known) -> None:
        replications, classes, _ = policy.quality.evidence.n.shape
        super().__init__(policy)
        self.doubt = np.ones((replications, classes))
        self.known = np.zeros((replications, classes), dtype=np.bool_)
        self._terms = terms
        self._every = np.arange(replications)

    def choose(self, step: Step) -> Ints:
        """The arms (R,) that serve: the best expected, where that is known to be the best."""
        policy, at = self.policy, (self._every, step.task)
        quality, log_cost = policy.quality.predict(step.task, step.x), policy.log_cost.predict(step.task, step.x)
        cost_usd = expected_amount(log_cost.mean, log_cost.var + policy.log_cost.noise(step.task, (self._every,)))
        worth = utility(quality.mean, policy.pacer.share(cost_usd), policy.pacer.price)
        found = leader(worth, np.sqrt(np.maximum(quality.var, 0.0)), step.eligible, self._terms.tolerance)
        self.doubt[at] = averaged(self.doubt[at], found.doubt, self._terms.memory)
        known = self.known[at] = is_known(self.known[at], self.doubt[at], self._terms)
        calm = step._replace(
            normal=np.where(known[:, None], 0.0, step.normal), uniform=np.where(known, 1.0, step.uniform)
        )
        return policy.choose(calm)
