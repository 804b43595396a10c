"""Posteriors: what evidence and prior together say of every edge, laid out for fast decisions.

One Bayesian linear model per edge, tied by a hierarchy: edge weights = model weights + class deviation. The model
weights are integrated out exactly, so a quiet class borrows from its model's other classes, a new model from the
others' level, and a busy edge stands on its own. Reference: Lindley and Smith (1972), eqs. 7-8.
"""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from . import variance
from .evidence import Evidence
from .priors import Prior

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_CHOLESKY_FROM = 128
"""Inputs from which a Cholesky inverse each beats numpy's stacked LU. Below, the half of the work that it saves is not
worth its calls: where several BLAS threads find every core taken, each of them may wait for a hundred milliseconds."""

_BLAS_FROM = 48
"""Inputs from which one live update is worth BLAS: 7 MB and a twentieth of a second that narrow contexts, for which it
saves a microsecond, do without."""

_POOL_CAP = 50.0  # observations beyond which a model's weight in the pooled level stops growing


class Posterior(NamedTuple):
    """The solved state of one signal; leading axes are free (none when live, one for each replication in a simulation).

    Attributes:
        block: (..., C, K, X+1, X) each edge's covariance with its mean as an extra row: one product with x gives both.
        noise: (..., C, K) noise variance of one observation.
    """

    block: Floats
    noise: Floats

    @property
    def mean(self) -> Floats:
        """(..., C, K, X) posterior mean weights."""
        return self.block[..., -1, :]

    @property
    def covariance(self) -> Floats:
        """(..., C, K, X, X) posterior covariance of the weights."""
        return self.block[..., :-1, :]


class Prediction(NamedTuple):
    """The signal's mean at one context for each model, before noise.

    Attributes:
        mean: (..., K).
        var: (..., K) variance of that mean, x'Sx.
        Sx: (..., K, X+1) covariance times x, with the mean as last entry; kept because learning needs it again.
    """

    mean: Floats
    var: Floats
    Sx: Floats


def solve(evidence: Evidence, prior: Prior) -> Posterior:
    """The posterior of every edge from its evidence (..., C, K, ...), variance components learned on the way.

    A pure function of the sums: any order, split or delay of the same observations gives the same answer.
    """
    noise = variance.within_class_noise(evidence, prior)
    scale = variance.feature_scale(evidence)
    effects = variance.class_effects(evidence, noise, prior)
    features = evidence.b.shape[-1] - 2
    spread = variance.slope_spread(evidence, noise, prior, scale) if features > 0 else np.zeros_like(noise[..., 0, :])
    hierarchy = _hierarchy(evidence, prior, scale, effects, spread)
    noise = _residual_noise(evidence, _solve_edges(evidence, noise, hierarchy), prior)
    return Posterior(_block(_solve_edges(evidence, noise, hierarchy)), noise)


def predict(posterior: Posterior, task: int | Ints, x: Floats) -> Prediction:
    """The signal at a context: x is (X,) with an int task, or (R, X) with tasks (R,) for R replications."""
    width = x.shape[-1]
    if x.ndim == 1:
        block = posterior.block[task]
        Sx = np.dot(block.reshape(-1, width), x).reshape(block.shape[0], width + 1)
        return Prediction(Sx[:, width], np.dot(Sx[:, :width], x), Sx)
    block = posterior.block[np.arange(x.shape[0]), task]
    Sx = np.matmul(block.reshape(x.shape[0], -1, width), x[:, :, None]).reshape(block.shape[:3])
    return Prediction(Sx[:, :, width], np.matmul(Sx[:, :, :width], x[:, :, None])[:, :, 0], Sx)


def condition(posterior: Posterior, task: int, arm: int, y: float, prediction: Prediction, weight: float = 1.0) -> None:
    """Takes one observation into one edge, in place: Sherman-Morrison on covariance and mean together.

    One of a weight above 0 counts as if its noise were 1 / weight times as large. The prediction must be that edge's at
    the observation's own context. Exact while noise and prior stay put; `solve` brings the news to the other edges.
    """
    g = prediction.Sx[arm].copy()
    g[-1] -= y
    scale = -1.0 / (posterior.noise[task, arm] / weight + prediction.var[arm])
    block = posterior.block[task, arm]
    if g.size <= _BLAS_FROM:
        block += np.multiply.outer(g, scale * g[:-1])
    else:
        _dger()(scale, g[:-1], g, a=block.T, overwrite_a=1, overwrite_x=0, overwrite_y=0)


def condition_each(posterior: Posterior, task: Ints, arm: Ints, y: Floats, prediction: Prediction) -> None:
    """`condition` for R replications at once, each with its own edge and observation (R,); nan teaches nothing."""
    every = np.arange(arm.size)
    g = prediction.Sx[every, arm]
    g[:, -1] -= y
    scale = -1.0 / (posterior.noise[every, task, arm] + prediction.var[every, arm])
    block, dger = posterior.block, _dger()
    for r in np.flatnonzero(np.isfinite(y)):
        dger(scale[r], g[r, :-1], g[r], a=block[r, task[r], arm[r]].T, overwrite_a=1, overwrite_x=0, overwrite_y=0)


class _Hierarchy(NamedTuple):
    """Prior of model weights and of edge deviations, both diagonal: (..., 1, K, X) and (..., C, K, X)."""

    model_mean: Floats
    model_var: Floats
    edge_mean: Floats
    edge_var: Floats


def _hierarchy(
    evidence: Evidence, prior: Prior, scale: Floats, effects: variance.ClassEffects, spread: Floats
) -> _Hierarchy:
    model_var = np.empty((*evidence.b.shape[:-3], 1, *evidence.b.shape[-2:]))
    model_var[..., 0] = prior.level_sd**2
    model_var[..., 1] = prior.tokens_sd**2
    model_var[..., 2:] = (spread[..., None, :, None] / scale[..., 2:]) ** 2
    model_mean = np.zeros_like(model_var)
    model_mean[..., 0] = _pooled_level(evidence, prior)[..., None, None]
    edge_var = np.broadcast_to(prior.slope_deviation**2 * model_var, evidence.b.shape).copy()
    edge_var[..., 0] = effects.deviation_sd[..., None, :] ** 2 + effects.shared_var
    edge_mean = np.zeros_like(edge_var)
    edge_mean[..., 0] = effects.shared
    return _Hierarchy(model_mean, model_var, edge_mean, edge_var)


def _pooled_level(evidence: Evidence, prior: Prior) -> Floats:
    """Mean level (...) over the models seen, from which a new model starts; the prior's mean when none was."""
    n = evidence.n.sum(-2)
    level = evidence.b[..., 0].sum(-2) / np.maximum(n, 1e-12)
    weight = np.minimum(n, _POOL_CAP)
    total = weight.sum(-1)
    return np.where(total > 0, (weight * level).sum(-1) / np.maximum(total, 1e-12), prior.mean)


class _Solved(NamedTuple):
    """Edges given their model, and the models: what a block is made of.

    Attributes:
        mean: (..., C, K, X) posterior means.
        S: (..., C, K, X, X) covariance of an edge if its model's weights were known.
        DS: (..., C, K, X, X) the deviation's precision times S.
        V: (..., K, X, X) covariance of the model's weights.
    """

    mean: Floats
    S: Floats
    DS: Floats
    V: Floats


def _solve_edges(evidence: Evidence, noise: Floats, hierarchy: _Hierarchy) -> _Solved:
    """Edge posteriors with their model's weights integrated out.

    With D the deviation's precision and S = (A/noise + D)^-1: an edge tells its model D - D S D and D S b, and is told
    back mean S (b + D m) and covariance S + S D V D S, with m, V the model's posterior over all its edges.
    """
    width = evidence.b.shape[-1]
    d = 1.0 / hierarchy.edge_var
    S = _inverse_plus_diagonal(evidence.A / noise[..., None, None], d)
    DS = d[..., :, None] * S
    v = evidence.b / noise[..., None] + d * hierarchy.edge_mean
    told = _times(DS, v) - d * hierarchy.edge_mean
    precision = -(DS * d[..., None, :]).sum(-4)
    diagonal = np.arange(width)
    precision[..., diagonal, diagonal] += d.sum(-3)
    L = 1.0 / hierarchy.model_var[..., 0, :, :]
    V = _inverse_plus_diagonal(precision, L)
    m = _times(V, told.sum(-3) + L * hierarchy.model_mean[..., 0, :, :])
    return _Solved(_times(S, v + d * m[..., None, :, :]), S, DS, V)


def _block(solved: _Solved) -> Floats:
    """The layout of a posterior (..., C, K, X+1, X): covariance, and the mean as an extra row."""
    width = solved.mean.shape[-1]
    block = np.empty((*solved.mean.shape[:-1], width + 1, width))
    block[..., :width, :] = solved.S + np.swapaxes(solved.DS, -1, -2) @ solved.V[..., None, :, :, :] @ solved.DS
    block[..., width, :] = solved.mean
    return block


@cache
def _dger() -> Any:
    """BLAS's update of a matrix by a product of two vectors, in place."""
    from scipy.linalg.blas import dger  # pyright: ignore[reportAttributeAccessIssue]  # made at import time

    return dger


def _times(matrix: Floats, vector: Floats) -> Floats:
    return np.matmul(matrix, vector[..., None])[..., 0]


def _inverse_plus_diagonal(matrix: Floats, diagonal: Floats) -> Floats:
    """(matrix + diag)^-1 for stacks of symmetric positive definite matrices (..., X, X)."""
    total = matrix.copy()
    index = np.arange(matrix.shape[-1])
    total[..., index, index] += diagonal
    if index.size < _CHOLESKY_FROM:
        return np.linalg.inv(total).astype(np.float64, copy=False)
    from scipy.linalg.lapack import dpotrf, dpotri  # pyright: ignore[reportAttributeAccessIssue]  # made at import time

    flat = total.reshape(-1, index.size, index.size)
    for i, each in enumerate(flat):
        flat[i] = dpotri(dpotrf(each, lower=1)[0], lower=1, overwrite_c=1)[0]
    lower = np.tril(total)
    return lower + np.swapaxes(np.tril(lower, -1), -1, -2)


def _residual_noise(evidence: Evidence, solved: _Solved, prior: Prior) -> Floats:
    """Noise variance (..., C, K) from the expected squared residuals, the models' weights taken as known."""
    explained = (_times(evidence.A, solved.mean) - 2.0 * evidence.b) * solved.mean
    squares = evidence.s + explained.sum(-1) + (evidence.A * solved.S).sum((-2, -1))
    return variance.pooled_noise(np.maximum(squares, 0.0), evidence.n, prior)
