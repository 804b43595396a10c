"""The marks of a table whose outcomes change on the way: what it admits at each stage, averaged over requests."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from banditroute.simulation.frontier import Choices, fixed_models, model_choices, prompt_choices
from banditroute.simulation.results import FixedModel, Frontier
from banditroute.simulation.stages import Stage
from banditroute.simulation.table import OutcomeTable

Floats = NDArray[np.float64]


def fixed_over(stages: Sequence[Stage]) -> dict[str, FixedModel]:
    """What each model alone gets on the requests that it can serve; their number is an expected one, rounded."""
    if len(stages) == 1:
        return fixed_models(stages[0].table)
    by_stage = [fixed_models(stage.table) for stage in stages]
    shares = _shares(stages)
    fixed: dict[str, FixedModel] = {}
    for model in stages[0].table.models:
        there = [(share, one[model]) for share, one in zip(shares, by_stage, strict=True) if model in one]
        seen = [(share * one.rows, one) for share, one in there]
        rows = sum(weight for weight, _ in seen)
        if rows:
            quality = sum(weight * one.quality for weight, one in seen) / rows
            cost_usd = sum(weight * one.cost_usd for weight, one in seen) / rows
            fixed[model] = FixedModel(quality, cost_usd, round(rows))
    return fixed


def envelope_over(stages: Sequence[Stage]) -> Frontier:
    """The best mixes of two fixed models, stage by stage at the same budget."""
    return _curve(stages, model_choices)


def oracle_over(stages: Sequence[Stage]) -> Frontier:
    """The constrained per-prompt oracle, stage by stage at the same budget."""
    return _curve(stages, prompt_choices)


def marks_at(stages: Sequence[Stage], budget_usd: float | None) -> tuple[float, float]:
    """Quality of the envelope and of the oracle in a run with that budget, each stage within its own."""

    def mark(choices: Callable[[OutcomeTable], Choices]) -> float:
        by_stage = [choices(stage.table).quality_at(stage.budget(budget_usd)) for stage in stages]
        return float(np.dot(_shares(stages), by_stage))

    return mark(model_choices), mark(prompt_choices)


def _shares(stages: Sequence[Stage]) -> Floats:
    """Each stage's share of the requests."""
    return np.array([stage.last - stage.first for stage in stages]) / stages[-1].last


def _curve(stages: Sequence[Stage], choices: Callable[[OutcomeTable], Choices]) -> Frontier:
    curves = [choices(stage.table).curve() for stage in stages]
    if len(curves) == 1:
        return curves[0]
    cost_usd = np.unique(np.concatenate([curve.cost_usd for curve in curves]))
    by_stage = np.stack([np.interp(cost_usd, curve.cost_usd, curve.quality) for curve in curves])
    return Frontier(cost_usd, _shares(stages) @ by_stage)
