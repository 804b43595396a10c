"""Finished calls as arrays: one figure of every model for each time that a prompt was asked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from banditroute.benching.calls import CallKey, FinishedCall
from banditroute.benching.grading import Weighing
from banditroute.benching.planning import BenchPlan

Floats = NDArray[np.float64]


class Figures(NamedTuple):
    """Each (n, R, M): n prompts in the file's order, R turns, M models in the plan's order; nan where unknown.

    Attributes:
        quality: in [0, 1].
        cost_usd: dollars of the answer.
        output_tokens: of the answer.
        latency_s: seconds to the whole answer.
    """

    quality: Floats
    cost_usd: Floats
    output_tokens: Floats
    latency_s: Floats


def figures_of(plan: BenchPlan, calls: Mapping[CallKey, FinishedCall], weighing: Weighing) -> Figures:
    """The figures of the calls that were answered."""
    block = np.full((4, len(plan.prompts.rows), plan.repeats, len(plan.models)), np.nan)
    for row, turn in plan.turns():
        for arm, model in enumerate(plan.models):
            call = calls.get(plan.key(row, model, turn))
            if call is not None and call.answered:
                block[:, row, turn - 1, arm] = _figures(call, weighing)
    return Figures(*block)


def _figures(call: FinishedCall, weighing: Weighing) -> tuple[float, float, float, float]:
    return _or_nan(weighing.quality(call.grades)), call.cost_usd, call.output_tokens, _or_nan(call.latency_s)


def _or_nan(value: float | None) -> float:
    return np.nan if value is None else value
