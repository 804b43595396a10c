"""What tuning is asked: a quality to reach, a budget to judge."""

from __future__ import annotations

import math
from dataclasses import dataclass

from banditroute.errors import InputError


@dataclass(frozen=True, slots=True)
class Questions:
    """What somebody who pays wants to know.

    Attributes:
        target_quality: qualities in (0, 1] to reach as cheaply as can be.
        budget_usd: budgets in dollars per request whose quality is wanted.
        confidence: with which a quality is to be reached, in [0.5, 1).
        requests_per_day: forecast traffic; None = no forecast.

    Raises:
        InputError: one of them is out of range.
    """

    target_quality: tuple[float, ...] = ()
    budget_usd: tuple[float, ...] = ()
    confidence: float = 0.9
    requests_per_day: float | None = None

    def __post_init__(self) -> None:
        for quality in self.target_quality:
            if not 0.0 < quality <= 1.0:
                raise _error(f"{quality:g} is not a quality", "give a number above 0, at most 1", "--target-quality")
        for budget in self.budget_usd:
            if not (math.isfinite(budget) and budget > 0.0):
                raise _error(f"{budget:g} is not a budget", "give dollars per request, such as 0.0005", "--budget-usd")
        if not 0.5 <= self.confidence < 1.0:
            raise _error(f"{self.confidence:g} is no such confidence", "give 0.5 to 0.99", "--confidence")
        traffic = self.requests_per_day
        if traffic is not None and not (math.isfinite(traffic) and traffic > 0.0):
            raise _error(f"{traffic:g} is no traffic", "give requests per day, such as 50000", "--requests-per-day")


def _error(problem: str, remedy: str, field: str) -> InputError:
    return InputError(problem, remedy=remedy, field=field)
