"""Policies by the names that people type."""

from __future__ import annotations

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
STATIC = ("mixture", "class-lp", "oracle", "random")
NAMES = (*LEARNING, *STATIC)


def make_policy(
    name: str,
    stream: Stream,
    table: OutcomeTable,
    budget_usd: Floats | None,
    replications: int,
    settings: PolicySettings,
) -> Policy:
    """The policy of that name for R replications with budgets (R,), None = unconstrained.

    `mixture`, `class-lp` and `oracle` are computed from the whole scored table: they know what no router can, and mark
    what a static mix of models, a static rule over classes and perfect foresight would get.

    Raises:
        InputError: no policy has that name.
    """
    if name in LEARNING:
        axes = (replications, len(stream.tasks), stream.quality.shape[1])
        explored = LEARNING[name] or settings.exploration
        return LearningPolicy(axes, stream.x.shape[1], budget_usd, replace(settings, exploration=explored))
    budgets = [None] if budget_usd is None else [float(b) for b in np.unique(budget_usd)]
    rules = np.stack([_probabilities(name, stream, table, budget) for budget in budgets])
    which = (
        np.zeros(replications, np.int64) if budget_usd is None else np.searchsorted(np.unique(budget_usd), budget_usd)
    )
    return Allocation(rules, which)


def _probabilities(name: str, stream: Stream, table: OutcomeTable, budget_usd: float | None) -> Floats:
    """The rule's probabilities (n, K) on every row of the stream; even on warm-up rows that a rule knows nothing of."""
    rows, models = stream.quality.shape
    if name == "random":
        return np.ones((rows, models))
    if name.startswith(FIXED):
        return np.tile(np.eye(models)[_model(name, table)], (rows, 1))
    if name == "mixture":
        return np.tile(model_choices(table).at_budget(budget_usd), (rows, 1))
    scored = stream.task[stream.warm :]
    if name == "class-lp":
        return class_choices(table, scored, len(stream.tasks)).at_budget(budget_usd)[stream.task]
    if name == "oracle":
        known = prompt_choices(table).at_budget(budget_usd)
        return np.concatenate([np.ones((stream.warm, models)), known])
    raise InputError(f"no policy is called {name!r}", remedy=f"choose from: {', '.join(NAMES)}, fixed:MODEL")


def _model(name: str, table: OutcomeTable) -> int:
    model = name.removeprefix(FIXED)
    if model not in table.models:
        raise InputError(f"the table has no model {model!r}", remedy=f"choose from: {', '.join(table.models)}")
    return table.models.index(model)
