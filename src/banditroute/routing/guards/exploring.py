"""A bound on exploring: of each decision's probability, and of a day's dollars."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from banditroute.records import Decision
from banditroute.routing.paced import PaceRecord
from banditroute.routing.rules import Limits, Rule, Situation

from .counting import Count
from .switches import best

Floats = NDArray[np.float64]

_DAY_S = 86_400.0
_ROUNDING = 1e-9


class _Drawing(NamedTuple):
    """A decision that is about to be drawn: who is expected to be best, and what the others may have in all."""

    best: str
    most: float


class ExplorationCap(Rule):
    """Models that are not expected to be best get no more than a share of each decision, and a sum of dollars a day.

    Args:
        most: their share of a decision's probability.
        usd_per_day: dollars that they may be expected to cost beyond the best, in a day (UTC); None = no bound.
    """

    def __init__(self, most: float = 1.0, usd_per_day: float | None = None) -> None:
        self._most = most
        self._usd_per_day = usd_per_day
        self._count = Count("exploration")
        self._day = 0
        self._used_usd = 0.0
        self._drawing = _Drawing("", 1.0)

    def used_usd(self, now: float) -> float:
        """Dollars of the day that exploring was expected to cost."""
        return self._used_usd if int(now // _DAY_S) == self._day else 0.0

    def limits(self, situation: Situation, worth: Floats) -> Limits:
        """No less than the rest to the best."""
        self._count.ask(situation)
        arm, arms = best(situation, worth), len(situation.names)
        most = min(self._most, self._affordable(situation, arm))
        self._drawing = _Drawing(situation.names[arm], most)
        least = np.zeros(arms)
        least[arm] = 1.0 - most
        return Limits(least, np.ones(arms))

    def decided(self, decision: Decision) -> None:
        """Charges what its other models were expected to cost beyond the best."""
        drawing = self._drawing
        if not self._count.is_of(decision):
            return
        self._count.add(bent=decision.propensities[drawing.best] <= 1.0 - drawing.most + _ROUNDING)
        self._used_usd = self.used_usd(decision.at) + _extra_usd(decision, drawing.best)
        self._day = int(decision.at // _DAY_S)

    def records(self) -> tuple[PaceRecord, ...]:
        """The count, the day and its dollars."""
        return (self._count.record(self._used_usd, self._day),)

    def restore(self, records: Sequence[PaceRecord]) -> None:
        """Goes on with the day."""
        for record in records:
            if record.budget == self._count.name:
                self._count.resume(record)
                self._used_usd, self._day = record.log_price, int(record.spend)

    def _affordable(self, situation: Situation, arm: int) -> float:
        """The share that the day's dollars allow, should all of it go to the dearest."""
        if self._usd_per_day is None:
            return 1.0
        left_usd = max(self._usd_per_day - self.used_usd(situation.now), 0.0)
        cost_usd = situation.cost_usd
        dearest_usd = float(cost_usd[situation.eligible].max() - cost_usd[arm])
        return 1.0 if dearest_usd <= left_usd else left_usd / dearest_usd


def _extra_usd(decision: Decision, model: str) -> float:
    """Dollars that a decision is expected to cost beyond what the model would; none where others are cheaper."""
    usd = decision.forecasts[model].cost_usd
    return sum(
        chance * max(decision.forecasts[name].cost_usd - usd, 0.0) for name, chance in decision.propensities.items()
    )
