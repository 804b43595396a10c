"""What a table admits: fixed models, the envelope of their mixes, and the per-prompt oracle.

All are linear programmes over known outcomes (a choice rule, one dollar constraint), solved by their dual: the best
rule at a price per dollar, and at most one mix of two such rules. Reference: Dantzig (1957), the continuous knapsack.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .results import FixedModel, Frontier
from .table import OutcomeTable

Floats = NDArray[np.float64]

_CURVE_POINTS = 200


@dataclass(frozen=True, slots=True)
class Choices:
    """Expected outcomes to choose among: g groups of requests by K models.

    Attributes:
        quality: (g, K), -inf where the model cannot serve the group.
        cost_usd: (g, K), inf likewise.
        weight: (g,) share of requests in each group.
    """

    quality: Floats
    cost_usd: Floats
    weight: Floats

    def at_budget(self, budget_usd: float | None) -> Floats:
        """Each group's probabilities (g, K) in the best allocation at a budget; the cheapest one where none fits."""
        free = self._rule(0.0)
        if budget_usd is None or self._cost(free) <= budget_usd:
            return free
        low, high = 1e-9, 1e15
        for _ in range(120):
            price = np.sqrt(low * high)
            low, high = (price, high) if self._cost(self._rule(price)) > budget_usd else (low, price)
        dear, cheap = self._rule(low), self._rule(high)
        spare, step = budget_usd - self._cost(cheap), self._cost(dear) - self._cost(cheap)
        share = np.clip(spare / step, 0.0, 1.0) if step > 0 else 0.0
        return share * dear + (1.0 - share) * cheap

    def curve(self) -> Frontier:
        """The whole cost-quality curve, from the cheapest rule to the best one."""
        points = [self._point(price) for price in (*np.geomspace(1e8, 1e-3, _CURVE_POINTS), 0.0)]
        cost, quality = np.array(points).T
        keep = np.r_[True, np.diff(cost) > 1e-15]
        return Frontier(cost[keep], np.maximum.accumulate(quality[keep]))

    def quality_at(self, budget_usd: float | None) -> float:
        """Expected quality of the best allocation at a budget."""
        return self._total(self.at_budget(budget_usd), self.quality)

    def _rule(self, price: float) -> Floats:
        """Each group's best arm at a price per dollar (g, K), one-hot; ties go to the cheapest."""
        known = np.isfinite(self.cost_usd)
        worth = np.where(known, self.quality - price * np.where(known, self.cost_usd, 0.0), -np.inf)
        best = worth >= worth.max(1, keepdims=True) - 1e-15
        arm = np.where(best, self.cost_usd, np.inf).argmin(1)
        return np.eye(self.quality.shape[1])[arm]

    def _total(self, rule: Floats, value: Floats) -> float:
        return float((np.where(rule > 0, rule * np.where(rule > 0, value, 0.0), 0.0).sum(1) * self.weight).sum())

    def _cost(self, rule: Floats) -> float:
        return self._total(rule, self.cost_usd)

    def _point(self, price: float) -> tuple[float, float]:
        rule = self._rule(price)
        return self._cost(rule), self._total(rule, self.quality)


def prompt_choices(table: OutcomeTable) -> Choices:
    """Every row its own group: what the oracle chooses among."""
    seen = table.observed
    weight = np.full(table.requests, 1.0 / table.requests)
    return Choices(np.where(seen, table.quality, -np.inf), np.where(seen, table.cost_usd, np.inf), weight)


def class_choices(table: OutcomeTable, task_of: NDArray[np.int64], tasks: int) -> Choices:
    """Each task class one group with its mean outcomes: what a static allocation over classes chooses among."""
    quality, cost = np.full((tasks, len(table.models)), -np.inf), np.full((tasks, len(table.models)), np.inf)
    for task in np.unique(task_of):
        rows = np.flatnonzero(task_of == task)
        seen = table.observed[rows]
        known = seen.any(0)
        count = np.maximum(seen.sum(0), 1)
        quality[task] = np.where(known, np.where(seen, table.quality[rows], 0.0).sum(0) / count, -np.inf)
        cost[task] = np.where(known, np.where(seen, table.cost_usd[rows], 0.0).sum(0) / count, np.inf)
    return Choices(quality, cost, np.bincount(task_of, minlength=tasks) / table.requests)


def model_choices(table: OutcomeTable) -> Choices:
    """All requests one group: what a mix of fixed models chooses among."""
    return class_choices(table, np.zeros(table.requests, dtype=np.int64), 1)


def fixed_models(table: OutcomeTable) -> dict[str, FixedModel]:
    """What each model alone gets on the rows where it is observed."""
    seen = table.observed
    rows = seen.sum(0)
    quality, cost = (_column_means(values, seen) for values in (table.quality, table.cost_usd))
    return {
        model: FixedModel(float(quality[k]), float(cost[k]), int(rows[k]))
        for k, model in enumerate(table.models)
        if rows[k]
    }


def _column_means(values: Floats, seen: NDArray[np.bool_]) -> Floats:
    """Means (K,) over the rows where each model is observed; 0 where none is."""
    return np.where(seen, values, 0.0).sum(0) / np.maximum(seen.sum(0), 1)
