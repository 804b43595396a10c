"""Additive evidence: everything the data say about an edge, as sums that merge in any order.

An *edge* is a (task class, model) pair. For one signal (quality, log dollars, ...) it keeps the sufficient
statistics of a linear model y = w'x + noise with x[0] = 1. Workers, replays, late feedback
and batches merge by addition alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_ROUNDING = 1e-7  # of sums that were taken off each other


class Evidence(NamedTuple):
    """Sums over observations with weight w; leading axes are free, usually (tasks, models).

    Attributes:
        A: (..., X, X) sum of w x x'.
        b: (..., X) sum of w x y.
        n: (...) sum of w.
        s: (...) sum of w y^2.
    """

    A: Floats
    b: Floats
    n: Floats
    s: Floats


def empty(axes: Sequence[int], width: int) -> Evidence:
    """No observations yet: zeros for every edge of the given axes and inputs of the given width."""
    lead = tuple(axes)
    return Evidence(np.zeros((*lead, width, width)), np.zeros((*lead, width)), np.zeros(lead), np.zeros(lead))


def observe(evidence: Evidence, edge: tuple[int, ...], x: Floats, y: float, weight: float = 1.0) -> None:
    """Adds one observation to one edge, in place; x is (X,), edge one index for each leading axis."""
    wx = weight * x
    evidence.A[edge] += wx[:, None] * x
    evidence.b[edge] += y * wx
    evidence.n[edge] += weight
    evidence.s[edge] += weight * y * y


def observe_many(
    evidence: Evidence, edges: tuple[Ints, ...], x: Floats, y: Floats, weight: Floats | None = None
) -> None:
    """Adds m observations in place: edges holds one (m,) index for each leading axis, x is (m, X), y is (m,).

    Their weights are (m,), or None where each counts in full.
    """
    flat = np.ravel_multi_index(edges, evidence.n.shape)
    order = np.argsort(flat, kind="stable")
    starts = np.flatnonzero(np.r_[True, np.diff(flat[order]) > 0]) if order.size else order
    width = x.shape[1]
    A, b = evidence.A.reshape(-1, width, width), evidence.b.reshape(-1, width)
    n, s = evidence.n.reshape(-1), evidence.s.reshape(-1)
    for rows in np.split(order, starts[1:]) if order.size else ():
        edge, xs, ys = flat[rows[0]], x[rows], y[rows]
        wx, wy = (xs, ys) if weight is None else (weight[rows, None] * xs, weight[rows] * ys)
        A[edge] += wx.T @ xs
        b[edge] += wy @ xs
        n[edge] += rows.size if weight is None else weight[rows].sum()
        s[edge] += wy @ ys


def merged(first: Evidence, *others: Evidence) -> Evidence:
    """The evidence of all together; order does not matter."""
    total = first
    for other in others:
        total = Evidence(*(mine + theirs for mine, theirs in zip(total, other, strict=True)))
    return total


def shifted(evidence: Evidence, arm: int, by: float) -> Evidence:
    """The same evidence, had every y of one model, the last leading axis, been larger by so much; exact, as x[0] = 1.

    On the log scale a price's factor is such a shift.
    """
    A, b, n, s = evidence
    b, s = b.copy(), s.copy()
    s[..., arm] += by * (2.0 * b[..., arm, 0] + by * n[..., arm])
    b[..., arm, :] += by * A[..., arm, 0, :]
    return Evidence(A, b, n, s)


def decayed(evidence: Evidence, factor: float | Floats) -> Evidence:
    """The same evidence at a fraction of its weight.

    The factor is a number, or one for each edge. The prior is not in the evidence, so forgetting can never inflate
    uncertainty past it.
    """
    f = np.asarray(factor, dtype=np.float64)
    return Evidence(evidence.A * f[..., None, None], evidence.b * f[..., None], evidence.n * f, evidence.s * f)


def sound(evidence: Evidence) -> NDArray[np.bool_]:
    """Whether each edge's sums (...) can be those of observations: what was taken off them was in them before."""
    A, b, n, s = evidence
    upper, lower = np.concatenate((A, b[..., None]), -1), np.concatenate((b, s[..., None]), -1)
    joint = np.concatenate((upper, lower[..., None, :]), -2)
    scale = _ROUNDING * (1.0 + np.trace(np.abs(joint), axis1=-2, axis2=-1))
    lifted = joint + scale[..., None, None] * np.eye(lower.shape[-1])
    try:
        np.linalg.cholesky(lifted)
    except np.linalg.LinAlgError:  # some are not, and which takes longer to tell
        return np.asarray(np.linalg.eigvalsh(lifted)[..., 0] > 0.0)
    return np.ones(n.shape, dtype=np.bool_)
