from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from banditroute.learning.evidence import Evidence, decayed, empty, observe_many
from banditroute.learning.posterior import Posterior, condition, predict, solve
from banditroute.learning.priors import LOG_COST, QUALITY

Floats = NDArray[np.float64]


def evidence_at(level: Floats, n: int, width: int = 2, seed: int = 0) -> Evidence:
    """n observations of every edge around its level (C, K)."""
    rng = np.random.default_rng(seed)
    task, arm = (index.repeat(n) for index in np.indices(level.shape).reshape(2, -1))
    x = np.column_stack([np.ones(task.size), rng.normal(size=(task.size, width - 1))])
    evidence = empty(level.shape, width)
    observe_many(evidence, (task, arm), x, level[task, arm] + rng.normal(0, 0.1, task.size))
    return evidence


def at(evidence: Evidence, keep: NDArray[np.bool_]) -> Evidence:
    """The evidence of the edges to keep alone."""
    return decayed(evidence, keep.astype(np.float64))


X = np.array([1.0, 0.0])


def test_nothing_seen_is_the_prior() -> None:
    posterior = solve(empty((3, 2), 2), QUALITY)
    prediction = predict(posterior, 1, X)
    np.testing.assert_allclose(prediction.mean, QUALITY.mean)
    assert (np.sqrt(prediction.var) > QUALITY.level_sd).all()
    np.testing.assert_allclose(posterior.noise, QUALITY.noise_sd**2)


def test_plenty_of_evidence_overrules_the_prior() -> None:
    level = np.array([[0.1, 0.9], [0.5, 0.3]])
    posterior = solve(evidence_at(level, 2000), QUALITY)
    np.testing.assert_allclose(posterior.mean[..., 0], level, atol=0.02)
    np.testing.assert_allclose(np.sqrt(posterior.noise), 0.1, rtol=0.1)


def test_a_quiet_class_borrows_from_its_models_other_classes() -> None:
    level = np.tile([0.2, 0.9], (4, 1))
    keep = np.ones((4, 2), dtype=np.bool_)
    keep[3] = False
    mean = predict(solve(at(evidence_at(level, 100), keep), QUALITY), 3, X).mean
    np.testing.assert_allclose(mean, [0.2, 0.9], atol=0.05)


def test_a_new_model_starts_from_the_others_class_means_and_wide() -> None:
    level = np.repeat([[0.2], [0.9], [0.6], [0.4]], 4, axis=1)
    keep = np.ones((4, 4), dtype=np.bool_)
    keep[:, 3] = False
    posterior = solve(at(evidence_at(level, 200), keep), QUALITY)
    easy, hard = predict(posterior, 1, X), predict(posterior, 0, X)
    assert easy.mean[3] - hard.mean[3] > 0.5
    assert np.sqrt(easy.var[3]) > QUALITY.level_sd
    assert np.sqrt(easy.var[0]) < 0.02


def test_evidence_only_narrows() -> None:
    level = np.full((2, 2), 0.5)
    widths = [predict(solve(evidence_at(level, n), QUALITY), 0, X).var for n in (10, 100, 1000)]
    assert (widths[0] > widths[1]).all()
    assert (widths[1] > widths[2]).all()


def test_forgetting_everything_returns_to_the_prior_and_no_further() -> None:
    evidence = evidence_at(np.array([[0.1, 0.9]]), 500)
    forgotten, fresh = solve(decayed(evidence, 0.0), QUALITY), solve(empty((1, 2), 2), QUALITY)
    np.testing.assert_allclose(forgotten.block, fresh.block)


def test_replications_are_solved_as_they_would_be_alone() -> None:
    one, other = (evidence_at(np.random.default_rng(s).random((3, 2)), 20, width=4, seed=s) for s in (1, 2))
    both = Evidence(*(np.stack(pair) for pair in zip(one, other, strict=True)))
    together = solve(both, LOG_COST)
    for r, evidence in enumerate((one, other)):
        alone = solve(evidence, LOG_COST)
        np.testing.assert_allclose(together.block[r], alone.block, rtol=0, atol=1e-12)
        np.testing.assert_allclose(together.noise[r], alone.noise, rtol=0, atol=1e-12)


def test_predictions_are_the_same_live_and_replicated() -> None:
    posterior = solve(evidence_at(np.random.default_rng(0).random((3, 2)), 20, width=4), QUALITY)
    rng = np.random.default_rng(3)
    task, x = np.array([2, 0]), np.column_stack([np.ones(2), rng.normal(size=(2, 3))])
    many = predict(Posterior(np.stack([posterior.block] * 2), np.stack([posterior.noise] * 2)), task, x)
    for r in range(2):
        one = predict(posterior, int(task[r]), x[r])
        S = posterior.covariance[task[r]]
        np.testing.assert_allclose(one.mean, posterior.mean[task[r]] @ x[r])
        np.testing.assert_allclose(one.var, np.einsum("i,kij,j->k", x[r], S, x[r]))
        for mine, theirs in zip(one, many, strict=True):
            np.testing.assert_allclose(mine, theirs[r])


def test_an_update_touches_its_own_edge_alone() -> None:
    posterior = solve(evidence_at(np.full((2, 3), 0.5), 5), QUALITY)
    before = posterior.block.copy()
    condition(posterior, 1, 2, 1.0, predict(posterior, 1, X))
    changed = (posterior.block != before).any((-1, -2))
    assert np.argwhere(changed).tolist() == [[1, 2]]


@pytest.mark.parametrize("width", [2, 5])
def test_covariances_are_symmetric_and_positive(width: int) -> None:
    S = solve(evidence_at(np.random.default_rng(1).random((4, 3)), 3, width), QUALITY).covariance
    np.testing.assert_allclose(S, np.swapaxes(S, -1, -2), atol=1e-14)
    assert np.linalg.eigvalsh(S).min() > 0
