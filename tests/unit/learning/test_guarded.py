"""Guarded policies on arrays: the promise holds where free choosing breaks it; what is known is not tried against."""

import numpy as np

from banditroute.learning.guard import Conservative
from banditroute.learning.guarded import ConservativePolicy, KnowingPolicy
from banditroute.learning.knowing import Known
from banditroute.learning.policy import LearningPolicy, Policy, PolicySettings, Step

R, K, X = 12, 3, 2
QUALITY = np.array([0.6, 0.8, 0.82])
EVERYONE = np.ones((R, K), dtype=np.bool_)


def thompson() -> LearningPolicy:
    return LearningPolicy((R, 1, K), X, None, PolicySettings())


def played(policy: Policy, requests: int, eligible: np.ndarray = EVERYONE, quality: np.ndarray = QUALITY) -> np.ndarray:
    """The arms (n, R) that served so many requests, judged 0 or 1 each."""
    rng = np.random.default_rng(3)
    arms: list[np.ndarray] = []
    for _ in range(requests):
        x = np.stack([np.ones(R), rng.standard_normal(R)], axis=1)
        normal, uniform = rng.standard_normal((R, K)), rng.random(R)
        step = Step(np.zeros(R, np.int64), np.zeros(R, np.int64), x, eligible, normal, uniform)
        arm = policy.choose(step)
        policy.learn(step, arm, (rng.random(R) < quality[arm]).astype(float), np.full(R, 1e-4))
        arms.append(arm)
    return np.stack(arms)


def behind(arms: np.ndarray, baseline: int, alpha: float) -> float:
    """Share of requests after which less was served, in expectation, than was promised."""
    margin = (QUALITY[arms] - (1.0 - alpha) * QUALITY[baseline]).cumsum(0)
    return float((margin < 0.0).mean())


def test_the_promise_is_kept_where_free_choosing_breaks_it() -> None:
    assert behind(played(thompson(), 150), 2, 0.05) > 0.3
    assert behind(played(ConservativePolicy(thompson(), 2, Conservative(0.05)), 150), 2, 0.05) <= 0.05


def test_it_begins_with_the_baseline_and_leaves_a_bad_one() -> None:
    policy = ConservativePolicy(thompson(), 0, Conservative(0.05))
    arms = played(policy, 350, quality=np.array([0.4, 0.9, 0.9]))
    assert (arms[0] == 0).all()
    assert (arms[-100:] == 0).mean() < 0.1


def test_without_the_baseline_the_others_serve_and_nothing_is_counted() -> None:
    policy = ConservativePolicy(thompson(), 1, Conservative(0.05))
    arms = played(policy, 20, EVERYONE & (np.arange(K) != 1))
    assert set(np.unique(arms)) == {0, 2}
    assert (policy.account.lower == 0.0).all()


def test_what_is_known_is_not_tried_against() -> None:
    plain = np.array([0.1, 0.2, 0.95])
    free, calm = thompson(), KnowingPolicy(thompson(), Known(0.8, 0.05))
    tried_free, tried_calm = (played(policy, 400, quality=plain)[-150:] != 2 for policy in (free, calm))
    assert calm.known.mean() > 0.8
    assert tried_calm[:, calm.known[:, 0]].sum() <= 0.2 * tried_free[:, calm.known[:, 0]].sum()
    assert tried_free.sum() > 0
