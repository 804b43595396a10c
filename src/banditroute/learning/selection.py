"""Choosing: exact best-arm probabilities, an exploration floor with a bounded bill, and the draw.

For independent Gaussian scores the probability that an arm is best is a one-dimensional integral. Gauss-Hermite nodes
miss it by several percent when widths differ a hundredfold; panels as wide as the narrowest arm in reach do not.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from .kinds import ARRAYS, Kind
from .orthant import CERTAIN, NARROWEST, few_arms

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]

_BREAKS = np.array([-7.0, -4.0, -2.0, -1.0, 0.0, 1.0, 2.0, 4.0, 7.0])
_LEGENDRE = np.polynomial.legendre.leggauss(8)
_NODES, _WEIGHTS = 0.5 + 0.5 * _LEGENDRE[0], 0.5 * _LEGENDRE[1]  # on the unit interval
_TINIEST = 1e-12  # share of an arm that nobody wanted, before its bounds
_REACH = 0.4  # how fast panels may widen with the distance from an arm


def best_arm_probabilities(mean: Floats, sd: Floats, eligible: Bools | None = None) -> Floats:
    """Probability (K,) that each arm's score N(mean, sd^2) is the largest, over the eligible ones; they sum to one.

    Composite Gauss-Legendre quadrature, 8 nodes a panel, good to 1e-9. Arms that cannot reach the best one within 7
    standard deviations on both sides (p < 1e-11) get 0; so does every ineligible arm.

    Raises:
        ValueError: no arm is eligible.
    """
    if mean.size <= 3:
        return few_arms(mean.tolist(), sd.tolist(), None if eligible is None else eligible.tolist())
    arms = np.arange(mean.size) if eligible is None else np.flatnonzero(eligible)
    if arms.size == 0:
        raise ValueError("no arm is eligible")
    out = np.zeros(mean.size)
    mu, width = mean[arms], sd[arms]
    widest, certain = float(width.max()), CERTAIN * abs(float(mu.max()))
    if widest <= certain:  # nothing left to chance: ties share
        best = mu == mu.max()
        out[arms] = best / best.sum()
        return out
    width = np.maximum(width, max(widest * NARROWEST, certain))
    low = float((mu - 7.0 * width).max())
    live = mu + 7.0 * width > low
    out[arms[live]] = _integrate(mu[live], width[live], low)
    return out


def _integrate(mu: Floats, width: Floats, low: float) -> Floats:
    if mu.size == 1:
        return np.ones(1)
    if mu.size <= 3:
        return few_arms(mu.tolist(), width.tolist())
    mu, width = mu[:, None], width[:, None]
    edges = _panel_edges(mu, width, low)
    length = edges[1:] - edges[:-1]
    x = (edges[:-1, None] + length[:, None] * _NODES).ravel()
    z = (x - mu) / width
    below = ndtr(z)
    all_below = below.prod(0) * (length[:, None] * _WEIGHTS).ravel()
    density = np.exp(-0.5 * z * z) / np.maximum(below, 1e-300)
    p = (density @ all_below) / width[:, 0]
    return p / p.sum()


def _panel_edges(mu: Floats, width: Floats, low: float) -> Floats:
    """Edges of panels above low, each at most as long as the local scale: the least over arms of width and distance."""
    grid = np.maximum(mu + width * _BREAKS, low).ravel()
    grid.sort()
    middle = 0.5 * (grid[1:] + grid[:-1])
    scale = np.maximum(_REACH * np.abs(middle - mu), width).min(0)
    panels = np.zeros(grid.size)  # how many of them lie below each point of the grid
    ((grid[1:] - grid[:-1]) / scale).cumsum(out=panels[1:])
    count = int(panels[-1]) + 1
    return np.interp(np.arange(count + 1) * (panels[-1] / count), panels, grid)


def exploration_floor(
    eligible: Bools,
    gap: Floats,
    cost_share: Floats,
    *,
    decisions: float,
    dollars: float,
    quality: float,
) -> Floats:
    """The least probability (..., K) that each eligible arm is given, so that its evidence never dries up.

    An even floor would be ruinous: a third of 1% on a model 500 times dearer than the budget spends it whole. So each
    arm's floor is cut by what it costs.

    Args:
        eligible: (..., K).
        gap: (..., K) expected utility lost by playing the arm instead of the best one, in quality points.
        cost_share: (..., K) expected dollars of the arm over the budget per request.
        decisions: share of decisions that may explore in all.
        dollars: share of the budget's dollars that may be spent on it in all.
        quality: quality points per decision that it may cost in all.
    """
    arms = np.maximum(eligible.sum(-1, keepdims=True), 1)
    gap = np.where(eligible, gap, 0.0)  # an ineligible arm's is infinite
    return np.where(eligible, arm_floor(gap, cost_share, decisions, dollars, quality, ARRAYS) / arms, 0.0)


def arm_floor(gap: Any, cost_share: Any, decisions: float, dollars: float, quality: float, kind: Kind) -> Any:
    """The least probability of one eligible arm, or of arrays of them, were it alone; see `exploration_floor`."""
    floor = kind.least(decisions, dollars / kind.most(cost_share, 1e-9))
    return kind.least(floor, quality / kind.most(gap, 1e-9))


def mixed(p: Sequence[float], floor: Sequence[float]) -> list[float]:
    """The probabilities that are logged and drawn from: the floor plus the rest by p."""
    rest = 1.0 - sum(floor)
    return [rest * chance + least for chance, least in zip(p, floor, strict=True)]


def within(p: Sequence[float], least: Sequence[float], most: Sequence[float]) -> list[float]:
    """The probabilities nearest in proportion to p that keep to their bounds: clip(t p, least, most), their sum 1.

    Where the bounds allow no such thing (least adding up to more than 1, most to less), they are scaled until they do.
    """
    low, high = sum(least), sum(most)
    floor = [value / low for value in least] if low > 1.0 else list(least)
    ceiling = [max(value, at_least) for value, at_least in zip(most, floor, strict=True)]
    if high < 1.0:
        ceiling = [max(value, _TINIEST) for value in ceiling]
        return [value / sum(ceiling) for value in ceiling]
    if low >= 1.0:
        return floor
    weight = [max(chance, _TINIEST) for chance in p]
    arms = list(zip(weight, floor, ceiling, strict=True))
    before = scale = 0.0
    for scale in sorted({bound / w for w, *bounds in arms for bound in bounds}):
        if sum(min(max(scale * w, lo), hi) for w, lo, hi in arms) >= 1.0:
            break
        before = scale
    return _filled(arms, 0.5 * (before + scale))


def _filled(arms: Sequence[tuple[float, float, float]], scale: float) -> list[float]:
    """What arms (weight, least, most) get: those beyond a bound at a scale have it, the others share the rest."""
    free = [lo < scale * w < hi for w, lo, hi in arms]
    bound = [lo if scale * w <= lo else hi for w, lo, hi in arms]
    rest = 1.0 - sum(value for value, is_free in zip(bound, free, strict=True) if not is_free)
    total = sum(w for (w, *_), is_free in zip(arms, free, strict=True) if is_free)
    return [rest * w / total if is_free else value for (w, *_), value, is_free in zip(arms, bound, free, strict=True)]


def draw(p: Sequence[float], u: float) -> int:
    """The arm that a uniform u in [0, 1) picks from probabilities p; never one of probability 0."""
    point, arm = u * sum(p), 0
    for candidate, chance in enumerate(p):
        if chance > 0.0:
            arm, point = candidate, point - chance
            if point < 0.0:
                break
    return arm


def draw_each(scores: Floats, floor: Floats, u: Floats) -> Ints:
    """The arms (R,) that R replications pick: by the floor with its own probability, else the best score.

    The same distribution as drawing from `mixed(best_arm_probabilities(...), floor)`, without the quadrature.

    Args:
        scores: (R, K) sampled utilities, -inf where not eligible.
        floor: (R, K).
        u: (R,) uniforms in [0, 1).
    """
    cumulative = np.cumsum(floor, axis=1)
    return np.where(u < cumulative[:, -1], (u[:, None] < cumulative).argmax(1), scores.argmax(1))
