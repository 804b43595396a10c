"""The harm account: what is left after a step is what the step leaves, whatever stands beside it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from banditroute.learning.guard import Conservative, HarmAccount, Margin, margin
from banditroute.learning.posterior import Posterior

CLASSES, ARMS, WIDTH, BASELINE = 2, 3, 4, 1
TERMS = Conservative(alpha=0.1, confidence=0.9, saved_requests=1e9)


def posterior_of(seed: int, lead: tuple[int, ...] = (), extra: int = 0) -> Posterior:
    """Some covariances, means near .7 and noise; `extra` arms behind that are no concern of the account's."""
    rng = np.random.default_rng(seed)
    axes = (*lead, CLASSES, ARMS + extra)
    root = 0.1 * rng.standard_normal((*axes, WIDTH, WIDTH))
    mean = 0.05 * rng.standard_normal((*axes, 1, WIDTH))
    mean[..., 0] += 0.7
    return Posterior(np.concatenate((root @ root.swapaxes(-1, -2), mean), axis=-2), rng.uniform(0.01, 0.1, axes))


def inputs(seed: int, count: int) -> np.ndarray:
    x = 0.5 * np.random.default_rng(seed).standard_normal((count, WIDTH))
    x[:, 0] = 1.0
    return x


def served(account: HarmAccount, posterior: Posterior, steps: list[tuple[int, int]], x: np.ndarray) -> None:
    for (task, arm), each in zip(steps, x, strict=True):
        account.serve(posterior, task, arm, each)


STEPS = st.lists(st.tuples(st.integers(0, CLASSES - 1), st.integers(0, ARMS - 1)), min_size=1, max_size=12)


@given(steps=STEPS, seed=st.integers(0, 99))
def test_what_a_step_would_leave_is_what_it_leaves(steps: list[tuple[int, int]], seed: int) -> None:
    posterior, x = posterior_of(seed, extra=2), inputs(seed, len(steps) + 1)
    for arm in range(ARMS):
        account = HarmAccount((CLASSES, ARMS), WIDTH, BASELINE, TERMS)
        served(account, posterior, steps, x[:-1])
        foreseen = account.after(posterior, 1, x[-1])[arm]
        account.serve(posterior, 1, arm, x[-1])
        assert account.lower == pytest.approx(foreseen, abs=1e-12)


@given(steps=STEPS, seed=st.integers(0, 99))
def test_side_by_side_is_each_by_itself(steps: list[tuple[int, int]], seed: int) -> None:
    many, x = posterior_of(seed, (2,)), inputs(seed, len(steps) + 1)
    together = HarmAccount((2, CLASSES, ARMS), WIDTH, BASELINE, TERMS)
    for (task, arm), each in zip(steps, x, strict=False):
        together.serve(many, np.array([task, 0]), np.array([arm, 2]), np.stack([each, each]))
    left = together.after(many, np.array([1, 1]), np.stack([x[-1], x[-1]]))
    for replication, plays in enumerate((steps, [(0, 2)] * len(steps))):
        one = Posterior(*(part[replication] for part in many))
        alone = HarmAccount((CLASSES, ARMS), WIDTH, BASELINE, TERMS)
        served(alone, one, plays, x[:-1])
        assert left[replication] == pytest.approx(alone.after(one, 1, x[-1]), abs=1e-12)


@given(steps=STEPS, seed=st.integers(0, 99))
def test_taking_back_leaves_no_trace(steps: list[tuple[int, int]], seed: int) -> None:
    posterior, x = posterior_of(seed), inputs(seed, len(steps))
    account = HarmAccount((CLASSES, ARMS), WIDTH, BASELINE, TERMS)
    served(account, posterior, steps, x)
    before = account.lower
    account.serve(posterior, 0, 2, x[0])
    account.serve(posterior, 0, 2, x[0], times=-1.0)
    assert account.lower == pytest.approx(before, abs=1e-9)


def test_the_margin_is_that_of_drawn_weights_and_answers() -> None:
    rng, posterior, share = np.random.default_rng(0), posterior_of(3), 0.9
    x = inputs(5, 12)
    arms = np.arange(12) % ARMS
    played = np.stack([x[arms == arm].sum(0) for arm in range(ARMS)])
    found = margin(posterior.block[0], posterior.noise[0], played, BASELINE, share)
    draws = np.stack(
        [
            rng.multivariate_normal(posterior.mean[0, arm], posterior.covariance[0, arm], 40_000, method="eigh")
            for arm in range(ARMS)
        ]
    )
    quality = np.einsum("ksx,nx->skn", draws, x)
    answered = quality[:, BASELINE] + np.sqrt(posterior.noise[0, BASELINE]) * rng.standard_normal((40_000, 12))
    answered = np.where(arms == BASELINE, quality[:, BASELINE], answered)
    chance = np.where(arms == BASELINE, 0.0, np.sqrt(posterior.noise[0, arms])) * rng.standard_normal((40_000, 12))
    got = np.take_along_axis(quality, arms[None, None], 1)[:, 0] + chance - share * answered
    assert found.mean == pytest.approx(got.sum(1).mean(), abs=4 * got.sum(1).std() / 200)
    assert found.variance == pytest.approx(got.sum(1).var(), rel=0.05)


def test_the_baseline_alone_earns_alpha_and_no_more_than_may_be_saved() -> None:
    posterior = Posterior(np.zeros((1, 2, 2, 1)), np.full((1, 2), 0.01))
    posterior.block[0, :, 1, 0] = 0.8, 0.5
    account = HarmAccount((1, 2), 1, 0, Conservative(alpha=0.1, saved_requests=5.0))
    for request in range(1, 20):
        account.serve(posterior, 0, 0, np.ones(1))
        assert account.lower == pytest.approx(min(0.08 * request, 0.5))


def test_new_classes_and_a_past_join_what_is_there() -> None:
    posterior, x = posterior_of(1), inputs(1, 2)
    account = HarmAccount((1, ARMS), WIDTH, BASELINE, TERMS)
    account.serve(posterior, 0, 2, x[0])
    account.grow(CLASSES)
    account.serve(posterior, 1, 0, x[1])
    whole = HarmAccount((CLASSES, ARMS), WIDTH, BASELINE, TERMS)
    served(whole, posterior, [(0, 2), (1, 0)], x)
    assert account.lower == pytest.approx(whole.lower)
    after = HarmAccount((CLASSES, ARMS), WIDTH, BASELINE, TERMS)
    after.resume(whole.total)
    assert after.lower == pytest.approx(whole.lower)
    whole.close()
    assert whole.lower == pytest.approx(account.lower)
    whole.review(posterior_of(2))
    assert whole.lower == pytest.approx(account.lower), "what is closed is not valued anew"
    after.resume(Margin(np.asarray(2.0), np.asarray(0.25)))
    assert after.lower == pytest.approx(2.0 - 1.2816 * 0.5, abs=1e-4)
