"""A simulation's result, built by hand."""

from collections.abc import Callable, Sequence

import numpy as np
import pytest

from banditroute.simulation.results import FixedModel, Frontier, Phase, PolicyResult, SimulationResult, Trace

BuildResult = Callable[..., SimulationResult]


def policy_result(policy: str, budget_usd: float | None, seeds: Sequence[int], models: int) -> PolicyResult:
    count = len(seeds)
    quality = np.linspace(0.90, 0.92, count)
    cost_usd = (budget_usd or 0.01) * np.linspace(0.98, 1.02, count)
    share = np.arange(1, models + 1) / (models * (models + 1) / 2)
    trace = Trace(np.array([100]), 100 * cost_usd[:, None], quality[:, None], share[None, :])
    phases = (Phase(0, 100, quality, cost_usd, budget_usd, share),)
    return PolicyResult(
        policy, budget_usd, tuple(seeds), quality, cost_usd, share, 0.905, 0.955, phases, trace, edges=()
    )


def build(
    policies: Sequence[str] = ("thompson",),
    budgets_usd: Sequence[float | None] = (None,),
    seeds: Sequence[int] = range(3),
    models: Sequence[str] = ("small", "large"),
    notes: Sequence[str] = (),
) -> SimulationResult:
    results = tuple(policy_result(policy, budget, seeds, len(models)) for policy in policies for budget in budgets_usd)
    fixed = {name: FixedModel(0.80 + 0.01 * k, 0.001 * 10**k, 100) for k, name in enumerate(models)}
    frontier = Frontier(np.array([0.001, 0.1]), np.array([0.80, 0.93]))
    return SimulationResult(
        "table", None, 100, tuple(models), fixed, frontier, frontier, results, decisions_per_s=1e4, notes=tuple(notes)
    )


@pytest.fixture
def build_result() -> BuildResult:
    return build
