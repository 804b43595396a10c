"""Policies by the names that people type."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from banditroute.errors import InputError
from banditroute.learning.policy import (
    EPSILON_GREEDY,
    GREEDY,
    LINUCB,
    Allocation,
    Exploration,
    LearningPolicy,
    Policy,
    PolicySettings,
)

from .frontier import class_choices, model_choices, prompt_choices
from .stages import Stage
from .stream import Stream
from .table import OutcomeTable

Floats = NDArray[np.float64]

FIXED = "fixed:"
LEARNING: dict[str, Exploration | None] = {
    "thompson": None,  # explores as its settings say
    "greedy": GREEDY,
    "linucb": LINUCB,
    "epsilon": EPSILON_GREEDY,
}
STATIC = ("mixture", "class-lp", "clairvoyant", "oracle", "random")
NAMES = (*LEARNING, *STATIC)


def make_policy(
    name: str,
    stream: Stream,
    stages: Sequence[Stage],
    budget_usd: Floats | None,
    replications: int,
    settings: PolicySettings,
) -> Policy:
    """The policy of that name for R replications with budgets (R,), None = unconstrained.

    `mixture`, `class-lp` and `oracle` are computed from the whole scored table: they know what no router can, and mark
    what a static mix of models, a static rule over classes and perfect foresight would get. Under a scenario the first
    two know the table as it is at the first request; `oracle`, and `clairvoyant` which is `class-lp` otherwise, know
    it at every stage. A new budget is known to all.

    Raises:
        InputError: no policy has that name.
    """
    if name in LEARNING:
        axes = (replications, len(stream.tasks), stream.quality.shape[1])
        explored = LEARNING[name] or settings.exploration
        settings = replace(settings, exploration=explored)
        return LearningPolicy(axes, stream.x.shape[1], budget_usd, settings)
    budgets = [None] if budget_usd is None else [float(b) for b in np.unique(budget_usd)]
    rules = np.stack([_probabilities(name, stream, stages, budget) for budget in budgets])
    which = (
        np.zeros(replications, np.int64) if budget_usd is None else np.searchsorted(np.unique(budget_usd), budget_usd)
    )
    return Allocation(rules, which)


def _probabilities(name: str, stream: Stream, stages: Sequence[Stage], budget_usd: float | None) -> Floats:
    """The rule's probabilities (m, K) on every row at every stage; even on warm-up rows that it knows nothing of."""
    rows, models = stream.quality.shape
    if name == "random":
        return np.ones((rows, models))
    if name.startswith(FIXED):
        return np.tile(np.eye(models)[_model(name, stages[0].table)], (rows, 1))
    if name == "oracle":
        foreseen = (prompt_choices(stage.table).at_budget(stage.budget(budget_usd)) for stage in stages)
        return np.concatenate([np.ones((stream.warm, models)), *foreseen])
    if name not in STATIC:
        raise InputError(f"no policy is called {name!r}", remedy=f"choose from: {', '.join(NAMES)}, fixed:MODEL")
    scored, warm = stream.task[stream.warm :], stream.task[: stream.warm]
    known = stages if name == "clairvoyant" else [stages[0]] * len(stages)
    budgets = [stage.budget(budget_usd) for stage in stages]
    rules = [_by_class(name, stream, stage, budget) for stage, budget in zip(known, budgets, strict=True)]
    return np.concatenate([rules[0][warm], *(rule[scored] for rule in rules)])


def _by_class(name: str, stream: Stream, known: Stage, budget_usd: float | None) -> Floats:
    """Each class's probabilities (C, K) in the best static rule for the outcomes of one stage."""
    classes = len(stream.tasks)
    mixed = name == "mixture"
    choices = model_choices(known.table) if mixed else class_choices(known.table, stream.task[stream.warm :], classes)
    return np.broadcast_to(choices.at_budget(budget_usd), (classes, stream.quality.shape[1]))


def _model(name: str, table: OutcomeTable) -> int:
    model = name.removeprefix(FIXED)
    if model not in table.models:
        raise InputError(f"the table has no model {model!r}", remedy=f"choose from: {', '.join(table.models)}")
    return table.models.index(model)
