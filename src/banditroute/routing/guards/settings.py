"""What guards are set to."""

from __future__ import annotations

from dataclasses import dataclass

from banditroute.learning.guard import Conservative
from banditroute.learning.knowing import Known

_CONSERVATIVE = Conservative()


@dataclass(frozen=True, slots=True)
class GuardSettings:
    """What keeps the router from what it should not do; by default nothing does.

    Attributes:
        only: the model that serves everything; None = the router chooses.
        freeze: whether nothing is tried that is not expected to be best.
        most_exploration: the most probability that goes to models not expected to be best; None = no bound.
        explore_usd_per_day: dollars a day that such models may be expected to cost beyond the best; None = no bound.
        baseline: the model to stay close to; None = none.
        terms: how close.
        known: when a task class's best model counts as known and nothing else is tried there; None = never.
    """

    only: str | None = None
    freeze: bool = False
    most_exploration: float | None = None
    explore_usd_per_day: float | None = None
    baseline: str | None = None
    terms: Conservative = _CONSERVATIVE
    known: Known | None = None
