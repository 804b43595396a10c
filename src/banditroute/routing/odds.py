"""With what probability each model is drawn: that its worth is the best, mixed with the exploration floor."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from banditroute.learning.policy import Exploration
from banditroute.learning.selection import best_arm_probabilities

from . import pacers
from .eligibility import Eligibility
from .paced import Paced
from .rates import Priced

Floats = NDArray[np.float64]

_VERSION = 1


def policy_version(exploration: Exploration) -> str:
    """The name of a way to explore, and the version of what this module makes of it."""
    if exploration.sampled:
        rule = "thompson"
    elif exploration.bonus:
        rule = "linucb"
    else:
        rule = "epsilon" if exploration.decisions else "greedy"
    return f"{rule}-{_VERSION}"


def explored(
    exploration: Exploration,
    worth: Floats,
    forecast: Priced,
    screened: Eligibility,
    covering: Sequence[Paced],
    names: tuple[str, ...],
) -> dict[str, float]:
    """Probability of each eligible model, by its worth (K,) and how unsure its quality is.

    The budgets that cover the request keep the context, to solve their prices anew from.
    """
    quality_sd, cost_usd, eligible = forecast.amounts.quality_sd, forecast.cost_usd, screened.mask
    sd = exploration.sampled * quality_sd
    if not screened.short:  # where money ran short, any price would have done
        pacers.remember(covering, worth, sd, cost_usd, eligible)
    p = best_arm_probabilities(exploration.optimistic(worth, quality_sd), sd, eligible)
    share = cost_usd / pacers.tightest_usd(covering)
    rows = screened.named(zip(p.tolist(), worth.tolist(), share.tolist(), strict=True), names)
    return dict(zip(rows, exploration.mixed(*zip(*rows.values(), strict=True)), strict=True))


def cheapest(costs_usd: Mapping[str, float]) -> dict[str, float]:
    """All probability to the model expected to cost least."""
    least = min(costs_usd, key=costs_usd.__getitem__)
    return {name: float(name == least) for name in costs_usd}
