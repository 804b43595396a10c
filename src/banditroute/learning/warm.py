"""A warm start: what was measured before the first request, as evidence of bounded weight that must prove itself.

Warm evidence counts like observations, but no more than so many for each edge, and less once what is really seen
disagrees: a power prior whose power falls with the conflict (Ibrahim and Chen, 2000; the discount by a test of
conflict as in Nikolakopoulos et al., 2018). The discount is a pure function of both sums, so it does not depend on the
order of what was seen.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from .evidence import Evidence, decayed, empty, merged
from .priors import Prior
from .variance import within_class_noise

Floats = NDArray[np.float64]

ESS = 100.0
"""Observations that an edge's warm evidence is worth at most: enough to begin well, few enough to be outvoted."""

TOLERATED = 2.0
"""Standard errors of disagreement that cost warm evidence nothing."""

_STEEPNESS = 4.0  # at twice as much it counts for a sixteenth


def capped(evidence: Evidence, most: float) -> Evidence:
    """The evidence with every edge scaled to be worth no more than so many observations."""
    return decayed(evidence, np.minimum(1.0, most / np.maximum(evidence.n, 1e-12)))


def lent(seen: Evidence, likes: Iterable[tuple[int, int]], most: float = ESS) -> Evidence:
    """Warm evidence (..., C, K) that models have from others: what those have shown, capped; all else is empty.

    It is worked out from what is seen and kept nowhere, so that it can be counted once only.

    Args:
        seen: (..., C, K) edges.
        likes: a model and the one that it is taken to be like, each by its position.
        most: observations that an edge may borrow.
    """
    found = empty(seen.n.shape, seen.b.shape[-1])
    for arm, like in likes:
        own = capped(
            Evidence(seen.A[..., like, :, :], seen.b[..., like, :], seen.n[..., like], seen.s[..., like]), most
        )
        found.A[..., arm, :, :], found.b[..., arm, :], found.n[..., arm], found.s[..., arm] = own
    return found


def with_warmth(seen: Evidence, warm: Evidence, prior: Prior) -> Evidence:
    """What was seen together with the warm evidence (..., C, K), each model's discounted by its conflict."""
    return merged(seen, decayed(warm, credence(seen, warm, prior)[..., None, :]))


def credence(seen: Evidence, warm: Evidence, prior: Prior) -> Floats:
    """How much of each model's warm evidence still counts, (..., K) in (0, 1]; 1 before anything is seen.

    A model's conflict is the shift, in standard errors, between its warm and its seen level over the classes in which
    both are known; the mix of classes does not count as one.
    """
    noise = within_class_noise(merged(seen, warm), prior)
    both = (seen.n > 0) & (warm.n > 0)
    counted, known = np.where(both, seen.n, 1.0), np.where(both, warm.n, 1.0)
    shift = np.where(both, seen.b[..., 0] / counted - warm.b[..., 0] / known, 0.0)
    precision = np.where(both, 1.0 / (noise * (1.0 / counted + 1.0 / known)), 0.0)
    z = np.abs((shift * precision).sum(-2)) / np.sqrt(np.maximum(precision.sum(-2), 1e-300))
    return np.minimum(1.0, TOLERATED / np.maximum(z, 1e-12)) ** _STEEPNESS
