"""How much slower a model answers while it is busy: a slowdown by calls in flight over a learned concurrency.

A model with n other calls under way is taken to need (1 + (n / c)^p)^(1/p) times its idle seconds. p = 1 is a server
that shares its speed among all it works on (batched decoding); a large p one that is as fast as ever up to c calls, and
then lets callers wait in line. What c and p are is read off sums that add in any order: the log seconds of calls over
hat functions of their n. Every pair of a grid is weighed by how well it explains them, and the answers are averaged, so
that little data bend little. Beyond a typical concurrency one twice as large is half as likely: a model is trusted with
about twice the load that it was seen to bear, and with more once it has borne that.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .evidence import Evidence

Floats = NDArray[np.float64]

KNOTS = np.array([0.0, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0])
"""Calls in flight (J,) at which the sums are kept; between two of them a call counts for both."""

_POSITIONS = np.log1p(KNOTS)
_CONCURRENCY = 2.0 ** np.arange(1.0, 10.5, 0.5)  # 2 to 1,024 calls
_TYPICAL = 16.0
_POWERS = (1.0, 4.0)
_UNMOVED_PRIOR = 0.01  # that it never slows down
_PRIOR_WEIGHT, _PRIOR_SD = 4.0, 0.3  # of the noise of log seconds, in observations
_INDEPENDENT = 0.5  # share of calls that count: those under way together are slow together
_MOST_IN_FLIGHT = 1e6


def hats(in_flight: float) -> Floats:
    """The inputs (J,) of a call that begins beside so many others: its share in each knot; they sum to one."""
    x = np.zeros(KNOTS.size)
    position = min(np.log1p(max(in_flight, 0.0)), _POSITIONS[-1])
    above = min(max(int(np.searchsorted(_POSITIONS, position)), 1), KNOTS.size - 1)
    share = (position - _POSITIONS[above - 1]) / (_POSITIONS[above] - _POSITIONS[above - 1])
    x[above - 1], x[above] = 1.0 - share, share
    return x


def learned(evidence: Evidence) -> Floats:
    """How load slows M models, from sums of log seconds over hats: how likely each law of the grid is (M, G).

    A class has a level of its own in them, so that slow classes do not pass for busy times.

    Args:
        evidence: over (C, M) edges, inputs being `hats`.
    """
    squares = _left_over(evidence)
    calls = evidence.n.sum(0)
    levels = np.minimum(evidence.n, 1.0).sum(0)
    free = np.maximum(_INDEPENDENT * (calls - levels), 0.0)
    each = squares * (free / np.maximum(calls - levels, 1e-9))[:, None] + _PRIOR_WEIGHT * _PRIOR_SD**2
    log_weight = _LOG_PRIOR - 0.5 * (free + _PRIOR_WEIGHT)[:, None] * np.log(each)
    weight = np.exp(log_weight - log_weight.max(-1, keepdims=True))
    return weight / weight.sum(-1, keepdims=True)


def unknown(models: int) -> Floats:
    """The same (M, G) of that many models of which nothing was seen under load: they are taken not to slow down."""
    weight = np.zeros((models, _LOG_PRIOR.size))
    weight[:, 0] = 1.0
    return weight


class Slowdown(NamedTuple):
    """Log of how many times its idle seconds each of M models needs: mean (M,), 0 = none, and variance (M,)."""

    mean: Floats
    var: Floats


def log_slowdown(likely: Floats, in_flight: Floats) -> Slowdown:
    """What so many calls (M,) do to each model, by how likely each law is (M, G), and how unsure that is."""
    ratio = np.log(np.maximum(in_flight, 1e-9))[:, None] - _LOG_CONCURRENCY
    each, weight = np.logaddexp(0.0, _LAW_POWERS * ratio) / _LAW_POWERS, likely[:, 1:]
    mean = (weight * each).sum(-1)
    return Slowdown(mean, np.maximum((weight * each**2).sum(-1) - mean**2, 0.0))


def concurrency(likely: Floats) -> Floats:
    """Calls in flight (M,) at which each model needs twice its idle seconds; infinite where none seen would do.

    Args:
        likely: (M, G) how likely each law is.
    """
    low, high = np.full(likely.shape[:1], 1e-3), np.full(likely.shape[:1], _MOST_IN_FLIGHT)
    for _ in range(60):
        middle = np.sqrt(low * high)
        slow = log_slowdown(likely, middle).mean >= np.log(2.0)
        low, high = np.where(slow, low, middle), np.where(slow, middle, high)
    return np.where(high > 2.0 * KNOTS[-1], np.inf, high)


def _left_over(evidence: Evidence) -> Floats:
    """(M, G) squares that each law leaves unexplained, every class at the level that suits it best."""
    A, b, n, s = evidence
    total = b.sum(-1) - np.einsum("gj,cmj->gcm", _LAWS, A.sum(-1))
    slowed, among = _LAWS @ b.sum(0).T, ((_LAWS @ A.sum(0)) * _LAWS).sum(-1)
    squares = s.sum(0) - 2.0 * slowed + among.T - (total**2 / np.maximum(n, 1e-9)).sum(1)
    return np.maximum(squares, 0.0).T


def _laws() -> tuple[Floats, Floats, Floats]:
    """Log slowdown at the knots (G, J) by law, that of no slowdown first; and log c and p (G - 1,) of the others."""
    pairs = [(np.log(c), p) for p in _POWERS for c in _CONCURRENCY]
    log_c, p = (np.array(part) for part in zip(*pairs, strict=True))
    with np.errstate(divide="ignore"):
        ratio = np.log(KNOTS) - log_c[:, None]
    slowed = np.logaddexp(0.0, p[:, None] * ratio) / p[:, None]
    return np.vstack((np.zeros(KNOTS.size), slowed)), log_c, p


_LAWS, _LOG_CONCURRENCY, _LAW_POWERS = _laws()
_MOVED_PRIOR = np.exp(-np.abs(_LOG_CONCURRENCY - np.log(_TYPICAL)))
_LOG_PRIOR = np.log(np.r_[_UNMOVED_PRIOR, (1.0 - _UNMOVED_PRIOR) * _MOVED_PRIOR / _MOVED_PRIOR.sum()])
