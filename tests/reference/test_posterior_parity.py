"""The posterior against three independent answers: one big linear system, least squares, a peer library."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pytest
from bayesianbandits import NormalRegressor
from numpy.typing import NDArray
from scipy import linalg

from banditroute.learning import posterior as post
from banditroute.learning import variance
from banditroute.learning.evidence import Evidence, empty, observe_many
from banditroute.learning.posterior import Posterior, condition, predict, solve
from banditroute.learning.priors import QUALITY

Floats = NDArray[np.float64]


class Log(NamedTuple):
    """Observations: class, model, inputs and outcome of each."""

    task: NDArray[np.int64]
    arm: NDArray[np.int64]
    x: Floats
    y: Floats


def sampled_log(rng: np.random.Generator, n: int, classes: int, models: int, width: int) -> Log:
    x = np.column_stack([np.ones(n), rng.normal(size=(n, width - 1))])
    task, arm = rng.integers(classes, size=n), rng.integers(models, size=n)
    weights = rng.normal(size=(classes, models, width))
    return Log(task, arm, x, (x * weights[task, arm]).sum(1) + rng.normal(0, 0.3, n))


def evidence_of(log: Log, classes: int, models: int) -> Evidence:
    evidence = empty((classes, models), log.x.shape[1])
    observe_many(evidence, (log.task, log.arm), log.x, log.y)
    return evidence


def sampled_hierarchy(rng: np.random.Generator, classes: int, models: int, width: int) -> post._Hierarchy:
    return post._Hierarchy(
        model_mean=rng.normal(size=(1, models, width)),
        model_var=rng.uniform(0.01, 2.0, (1, models, width)),
        edge_mean=rng.normal(size=(classes, models, width)),
        edge_var=rng.uniform(0.01, 2.0, (classes, models, width)),
    )


def learned_hierarchy(evidence: Evidence) -> post._Hierarchy:
    """The hierarchy that `solve` arrives at for quality."""
    noise, scale = variance.within_class_noise(evidence, QUALITY), variance.feature_scale(evidence)
    effects = variance.class_effects(evidence, noise, QUALITY)
    return post._hierarchy(evidence, QUALITY, scale, effects, variance.slope_spread(evidence, noise, QUALITY, scale))


def joint_posterior(log: Log, noise: Floats, hierarchy: post._Hierarchy) -> tuple[Floats, Floats]:
    """Mean (C, K, X) and covariance (C, K, X, X) of edge weights, from one least-squares system over all unknowns.

    Unknowns are every model's weights and every edge's deviation; each observation and each prior is a row divided by
    its standard deviation.
    """
    C, K, X = hierarchy.edge_mean.shape
    offset = K * X  # models first, then edges
    rows = np.zeros((log.y.size, offset + C * K * X))
    for row, task, arm, x in zip(rows, log.task, log.arm, log.x, strict=True):
        row[arm * X : (arm + 1) * X] = x
        start = offset + (task * K + arm) * X
        row[start : start + X] = x
    sd = np.sqrt(noise[log.task, log.arm])
    prior_sd = np.sqrt(np.concatenate([hierarchy.model_var.ravel(), hierarchy.edge_var.ravel()]))
    prior_mean = np.concatenate([hierarchy.model_mean.ravel(), hierarchy.edge_mean.ravel()])
    system = np.vstack([rows / sd[:, None], np.diag(1 / prior_sd)])
    target = np.concatenate([log.y / sd, prior_mean / prior_sd])
    weights, *_ = np.linalg.lstsq(system, target)
    covariance = linalg.inv(system.T @ system)
    to_edges = np.hstack([np.kron(np.ones((C, 1)), np.eye(offset)), np.eye(C * K * X)])
    edges = (to_edges @ covariance @ to_edges.T).reshape(C, K, X, C, K, X)
    own = np.einsum("ckickj->ckij", edges)
    return (to_edges @ weights).reshape(C, K, X), own


@pytest.mark.parametrize(
    ("classes", "models", "width", "n"), [(1, 1, 2, 5), (4, 3, 3, 200), (6, 2, 4, 40), (3, 5, 2, 0)]
)
@pytest.mark.parametrize("seed", range(3))
def test_integrating_models_out_equals_the_joint_posterior(
    classes: int, models: int, width: int, n: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    log = sampled_log(rng, n, classes, models, width)
    noise = rng.uniform(0.05, 0.5, (classes, models))
    hierarchy = sampled_hierarchy(rng, classes, models, width)
    block = post._block(post._solve_edges(evidence_of(log, classes, models), noise, hierarchy))
    mean, covariance = joint_posterior(log, noise, hierarchy)
    np.testing.assert_allclose(block[..., -1, :], mean, rtol=0, atol=1e-9)
    np.testing.assert_allclose(block[..., :-1, :], covariance, rtol=0, atol=1e-9)


def test_solve_is_the_joint_posterior_at_the_variances_it_learned() -> None:
    rng = np.random.default_rng(5)
    log = sampled_log(rng, 300, 4, 3, 4)
    evidence = evidence_of(log, 4, 3)
    solved = solve(evidence, QUALITY)
    mean, covariance = joint_posterior(log, solved.noise, learned_hierarchy(evidence))
    np.testing.assert_allclose(solved.mean, mean, rtol=0, atol=1e-9)
    np.testing.assert_allclose(solved.covariance, covariance, rtol=0, atol=1e-9)


@pytest.mark.parametrize("seed", range(5))
def test_one_class_and_one_model_is_a_ridge_regression(seed: int) -> None:
    rng = np.random.default_rng(seed)
    log = sampled_log(rng, 50, 1, 1, 4)
    evidence = evidence_of(log, 1, 1)
    solved = solve(evidence, QUALITY)
    hierarchy = learned_hierarchy(evidence)
    prior_sd = np.sqrt(hierarchy.model_var + hierarchy.edge_var)[0, 0]
    prior_mean = (hierarchy.model_mean + hierarchy.edge_mean)[0, 0]
    noise_sd = np.sqrt(solved.noise[0, 0])
    system = np.vstack([log.x / noise_sd, np.diag(1 / prior_sd)])
    ridge = linalg.lstsq(system, np.concatenate([log.y / noise_sd, prior_mean / prior_sd]))[0]  # pyright: ignore[reportOptionalSubscript]
    np.testing.assert_allclose(solved.mean[0, 0], ridge, rtol=0, atol=1e-9)
    np.testing.assert_allclose(solved.covariance[0, 0], linalg.inv(system.T @ system), rtol=0, atol=1e-9)


def flat_hierarchy(width: int, alpha: float) -> post._Hierarchy:
    """One class and one model whose weights are N(0, I / alpha): model and deviation carry half of it each."""
    zero, half = np.zeros((1, 1, width)), np.full((1, 1, width), 0.5 / alpha)
    return post._Hierarchy(zero, half, zero, half)


def peer_covariance(peer: NormalRegressor) -> Floats:
    """The peer keeps the upper triangle of its precision only."""
    return linalg.inv(np.triu(peer.cov_inv_) + np.triu(peer.cov_inv_, 1).T)


@pytest.mark.parametrize(("alpha", "beta"), [(1.0, 1.0), (4.0, 25.0), (0.1, 400.0)])
def test_rank_one_updates_follow_the_peer_library_observation_by_observation(alpha: float, beta: float) -> None:
    rng = np.random.default_rng(11)
    log = sampled_log(rng, 60, 1, 1, 4)
    noise = np.full((1, 1), 1 / beta)
    ours = Posterior(post._block(post._solve_edges(empty((1, 1), 4), noise, flat_hierarchy(4, alpha))), noise)
    peer = NormalRegressor(alpha=alpha, beta=beta)
    for x, y in zip(log.x, log.y, strict=True):
        condition(ours, 0, 0, float(y), predict(ours, 0, x))
        peer.partial_fit(x[None], np.array([y]))
        np.testing.assert_allclose(ours.mean[0, 0], peer.coef_, rtol=0, atol=1e-9)
    np.testing.assert_allclose(ours.covariance[0, 0], peer_covariance(peer), rtol=0, atol=1e-9)


def test_a_batch_of_evidence_follows_the_peer_library() -> None:
    log = sampled_log(np.random.default_rng(12), 200, 1, 1, 5)
    peer = NormalRegressor(alpha=2.0, beta=10.0).fit(log.x, log.y)
    block = post._block(post._solve_edges(evidence_of(log, 1, 1), np.full((1, 1), 0.1), flat_hierarchy(5, 2.0)))
    np.testing.assert_allclose(block[0, 0, -1], peer.coef_, rtol=0, atol=1e-9)
    np.testing.assert_allclose(block[0, 0, :-1], peer_covariance(peer), rtol=0, atol=1e-9)
