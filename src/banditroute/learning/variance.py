"""Variance components learned from evidence by empirical Bayes: noise, class effects, slopes.

All are functions of the additive sums alone, so they too do not depend on the order of the data. Grids instead of
iterations keep them so, and keep them quick. References: Morris (1983), parametric empirical Bayes; Searle, Casella
and McCulloch (1992), Variance Components, ch. 9 (marginal likelihood).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .evidence import Evidence
from .priors import Prior

Floats = NDArray[np.float64]

NOISE_FLOOR = 1e-3
"""Least noise variance: a perfect run so far is no proof of a perfect edge."""

_SD_FACTORS = np.geomspace(1 / 16, 8, 15)
_SHARED_FACTORS = np.array([1 / 32, 1 / 8, 1 / 4, 1 / 2, 0.75, 1, 1.5, 2, 4, 8])
_POOLED_WEIGHT = 1.0  # strength of the hyperprior on log(sd / prior sd): worth a normal of sd 1
_MODEL_WEIGHT = 8.0  # that of one model's sd around all models' sd
_SHARED_WEIGHT = 0.3
_SLOPE_WEIGHT = 0.3
_TINY = 1e-12


class ClassEffects(NamedTuple):
    """How task classes move one signal.

    Attributes:
        deviation_sd: (..., K) spread of each model's own class deviations.
        shared: (..., C, K) the class effect all models share, as the *other* models tell it to model k.
        shared_var: (..., C, K) its variance.
    """

    deviation_sd: Floats
    shared: Floats
    shared_var: Floats


def within_class_noise(evidence: Evidence, prior: Prior) -> Floats:
    """Noise variance (..., C, K) from the spread around each edge's own mean, before slopes are known."""
    mean = _means(evidence)
    return pooled_noise(np.maximum(evidence.s - evidence.n * mean**2, 0.0), np.maximum(evidence.n - 1.0, 0.0), prior)


def pooled_noise(squares: Floats, degrees: Floats, prior: Prior) -> Floats:
    """Noise variance (..., C, K): each edge's squares shrunk to its model's, those to the prior's.

    Args:
        squares: (..., C, K) sums of squared residuals.
        degrees: (..., C, K) observations behind them.
        prior: start values and how many observations they are worth.
    """
    model = (prior.noise_weight * prior.noise_sd**2 + squares.sum(-2)) / (prior.noise_weight + degrees.sum(-2))
    edge = (prior.edge_noise_weight * model[..., None, :] + squares) / (prior.edge_noise_weight + degrees)
    return np.maximum(edge, NOISE_FLOOR)


def class_effects(evidence: Evidence, noise: Floats, prior: Prior) -> ClassEffects:
    """Spread of class deviations and shared class effects, by marginal likelihood of the edges' means.

    Model: mean[c, k] = level[k] + shared[c] + deviation[c, k] + noise / sqrt(n). Both spreads are averaged over a grid
    under their marginal likelihood; each model's own spread is then drawn to the common one.
    """
    mean, seen = _means(evidence), evidence.n > 0
    error_var = noise / np.maximum(evidence.n, _TINY)
    sds = _SD_FACTORS * prior.class_sd
    log_sd, shared_sd = _joint_spread(mean, seen, error_var, prior)
    common = np.broadcast_to(np.exp(log_sd)[..., None], mean.shape[:-2] + mean.shape[-1:])
    shared, _ = _shared_effects(mean, seen, error_var + common[..., None, :] ** 2, shared_sd)
    residual = np.where(seen, mean - shared, 0.0)
    score = np.stack([_cell_likelihood(residual, seen, error_var + sd * sd) for sd in sds])
    score -= 0.5 * _MODEL_WEIGHT * (_column(np.log(sds), score.ndim) - log_sd[..., None]) ** 2
    deviation = np.exp(_average(score, np.log(sds)))
    shared, shared_var = _shared_effects(mean, seen, error_var + deviation[..., None, :] ** 2, shared_sd)
    return ClassEffects(deviation, shared, shared_var)


def feature_scale(evidence: Evidence) -> Floats:
    """Root mean square (..., 1, 1, X) of each input over all edges, so that the prior means slopes per typical size.

    It starts from 1, so features far below unit size are shrunk harder until data are many; whitened ones need nothing.
    """
    squares = np.diagonal(evidence.A, axis1=-2, axis2=-1).sum((-3, -2))
    pseudo = 16.0
    rms = np.sqrt((squares + pseudo) / (evidence.n.sum((-2, -1))[..., None] + pseudo))
    return np.maximum(rms, 1e-6)[..., None, None, :]


def slope_spread(evidence: Evidence, noise: Floats, prior: Prior, scale: Floats) -> Floats:
    """Spread (..., K) of feature slopes by marginal likelihood of the within-class regression.

    Class levels and the slope on log tokens are projected out; the eigenvalues of what remains give the likelihood of
    any spread in closed form.
    """
    precision, vector = _within_class_regression(evidence, noise, scale)
    tokens_precision = precision[..., :1, :1] + 1.0 / prior.tokens_sd**2
    cross = precision[..., 1:, :1]
    M = precision[..., 1:, 1:] - cross @ np.swapaxes(cross, -1, -2) / tokens_precision
    r = vector[..., 1:] - cross[..., 0] * vector[..., :1] / tokens_precision[..., 0]
    values, vectors = np.linalg.eigh(M)
    values = np.maximum(np.asarray(values, dtype=np.float64), 0.0)
    u2: Floats = np.asarray(np.einsum("...ij,...i->...j", vectors, r), dtype=np.float64) ** 2
    sds = _SD_FACTORS * prior.feature_sd
    score: Floats = np.stack([(0.5 * v * u2 / (1 + v * values) - 0.5 * np.log1p(v * values)).sum(-1) for v in sds**2])
    log_sds = np.log(sds)
    pooled = score.sum(-1) - 0.5 * _SLOPE_WEIGHT * _column(np.log(_SD_FACTORS), score.ndim - 1) ** 2
    common = _average(pooled, log_sds)
    score -= 0.5 * _MODEL_WEIGHT * (_column(log_sds, score.ndim) - common[..., None]) ** 2
    spread: Floats = np.exp(_average(score, log_sds))
    return spread


def _means(evidence: Evidence) -> Floats:
    return evidence.b[..., 0] / np.maximum(evidence.n, _TINY)


def _column(values: Floats, ndim: int) -> Floats:
    return values.reshape(-1, *([1] * (ndim - 1)))


def _average(score: Floats, values: Floats) -> Floats:
    """Posterior mean of values under log scores along the first axis."""
    weight = np.exp(score - score.max(0))
    return np.asarray(np.tensordot(values, weight / weight.sum(0), axes=1), dtype=np.float64)


def _cell_likelihood(mean: Floats, seen: NDArray[np.bool_], var: Floats) -> Floats:
    """Log likelihood (..., K) of each model's class means given their variances, its level integrated out."""
    w = np.where(seen, 1.0 / var, 0.0)
    total = w.sum(-2)
    level = (w * mean).sum(-2) / np.maximum(total, _TINY)
    squares = (w * (mean - level[..., None, :]) ** 2).sum(-2)
    log_var = np.where(seen, np.log(var), 0.0).sum(-2)
    return -0.5 * (log_var + squares + np.where(total > 0, np.log(np.maximum(total, _TINY)), 0.0))


def _joint_spread(mean: Floats, seen: NDArray[np.bool_], error_var: Floats, prior: Prior) -> tuple[Floats, Floats]:
    """Log spread of deviations (...) and spread of shared effects (...), averaged over their grid."""
    sds, shared_sds = _SD_FACTORS * prior.class_sd, _SHARED_FACTORS * prior.class_sd
    score = np.stack([_two_way_likelihood(mean, seen, error_var + sd * sd, shared_sds) for sd in sds])
    score -= 0.5 * _POOLED_WEIGHT * _column(np.log(_SD_FACTORS), score.ndim) ** 2
    score -= 0.5 * _SHARED_WEIGHT * _column(np.log(_SHARED_FACTORS), score.ndim - 1)[None] ** 2
    weight = np.exp(score - score.max((0, 1)))
    weight /= weight.sum((0, 1))
    log_sd = np.tensordot(np.log(sds), weight.sum(1), axes=1)
    return log_sd, np.exp(np.tensordot(np.log(shared_sds), weight.sum(0), axes=1))


def _two_way_likelihood(mean: Floats, seen: NDArray[np.bool_], var: Floats, shared_sds: Floats) -> Floats:
    """Log likelihood (G, ...) of all edges' means for each spread of the shared effects, which are integrated out."""
    w = np.where(seen, 1.0 / var, 0.0)
    by_class, by_model = w.sum(-1), np.maximum(w.sum(-2), _TINY)
    shrink = _column(1.0 / shared_sds**2, by_class.ndim + 1)
    level = (w * mean).sum(-2) / by_model
    for _ in range(2):
        shared = (w * (mean - level[..., None, :])).sum(-1) / (by_class + shrink)
        level = (w * (mean - shared[..., None])).sum(-2) / by_model
    residual = w * (mean - level[..., None, :])
    squares = (residual * (mean - level[..., None, :])).sum((-2, -1))
    squares -= (residual.sum(-1) ** 2 / (by_class + shrink)).sum(-1)
    constant = np.where(seen, np.log(var), 0.0).sum((-2, -1)) + np.log(by_model).sum(-1)
    return -0.5 * (squares + np.log1p(by_class / shrink).sum(-1) + constant)


def _shared_effects(mean: Floats, seen: NDArray[np.bool_], var: Floats, shared_sd: Floats) -> tuple[Floats, Floats]:
    """Shared class effects (..., C, K) and their variance as told by the other models: no datum counts twice."""
    w = np.where(seen, 1.0 / var, 0.0)
    by_model = np.maximum(w.sum(-2), _TINY)
    shrink = (1.0 / shared_sd**2)[..., None]
    level = (w * mean).sum(-2) / by_model
    for _ in range(3):
        shared = (w * (mean - level[..., None, :])).sum(-1) / (w.sum(-1) + shrink)
        level = (w * (mean - shared[..., None])).sum(-2) / by_model
    residual = w * (mean - level[..., None, :])
    var_others = 1.0 / (w.sum(-1, keepdims=True) - w + shrink[..., None])
    return (residual.sum(-1, keepdims=True) - residual) * var_others, var_others


def _within_class_regression(evidence: Evidence, noise: Floats, scale: Floats) -> tuple[Floats, Floats]:
    """Precision (..., K, X-1, X-1) and vector (..., K, X-1) of slopes: class levels projected out, unit inputs."""
    n = np.maximum(evidence.n, _TINY)
    sums = evidence.A[..., 1:, 0]
    A = evidence.A[..., 1:, 1:] - sums[..., :, None] * (sums / n[..., None])[..., None, :]
    b = evidence.b[..., 1:] - sums * (evidence.b[..., 0] / n)[..., None]
    unit = np.ones_like(scale[..., 1:])
    unit[..., 1:] = scale[..., 2:]  # the slope on log tokens keeps its own unit
    w = 1.0 / noise
    precision = (A * w[..., None, None]).sum(-4) / (unit[..., 0, :, :, None] * unit[..., 0, :, None, :])
    return precision, (b * w[..., None]).sum(-3) / unit[..., 0, :, :]
