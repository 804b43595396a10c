"""The frontier against scipy's linear programming, and on tables with gaps."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from banditroute.simulation.frontier import Choices, class_choices, fixed_models, model_choices, prompt_choices
from banditroute.simulation.table import OutcomeTable


def table(quality: list[list[float]], cost: list[list[float]], tasks: tuple[str, ...] = ()) -> OutcomeTable:
    n, k = np.shape(quality)
    empty = np.full((n, k), np.nan)
    return OutcomeTable(
        name="t",
        ids=tuple(f"r{i}" for i in range(n)),
        models=tuple(f"m{j}" for j in range(k)),
        tasks=tasks,
        task_of=np.arange(n) % len(tasks) if tasks else np.full(n, -1),
        input_tokens=np.full(n, np.nan),
        features=np.zeros((n, 0)),
        at=np.full(n, np.nan),
        prompts=(None,) * n,
        quality=np.array(quality, float),
        cost_usd=np.array(cost, float),
        output_tokens=empty,
        latency_s=empty,
    )


def solved(choices: Choices, budget: float) -> float:
    """The same programme by scipy: choose probabilities for each group, mean dollars within budget."""
    g, k = choices.quality.shape
    weight = choices.weight[:, None]
    found = linprog(
        -(weight * choices.quality).ravel(),
        A_ub=[(weight * choices.cost_usd).ravel()],
        b_ub=[budget],
        A_eq=np.kron(np.eye(g), np.ones(k)),
        b_eq=np.ones(g),
    )
    assert found.success
    return -found.fun


@given(st.integers(0, 10_000), st.integers(1, 12), st.integers(1, 5), st.floats(0.0, 1.0))
@settings(max_examples=60, deadline=None)
def test_allocations_are_optimal(seed: int, groups: int, models: int, where: float) -> None:
    rng = np.random.default_rng(seed)
    cost = rng.lognormal(-6, 2, (groups, models))
    choices = Choices(rng.random((groups, models)), cost, rng.dirichlet(np.ones(groups)))
    least, most = (choices.weight @ cost.min(1)), (choices.weight @ cost.max(1))
    budget = least * (1 + 1e-6) + where * (most - least)
    assert choices.quality_at(budget) == pytest.approx(solved(choices, budget), abs=1e-7)


def test_a_budget_below_the_cheapest_gets_the_cheapest() -> None:
    choices = model_choices(table([[0.5, 0.9]], [[1.0, 3.0]]))
    np.testing.assert_array_equal(choices.at_budget(0.1), [[1.0, 0.0]])


def test_without_a_budget_the_best_is_chosen_whatever_it_costs() -> None:
    assert prompt_choices(table([[0.5, 0.9], [0.8, 0.2]], [[1, 3], [1, 3]])).quality_at(None) == pytest.approx(0.85)


def test_models_that_rows_lack_are_never_allocated_there() -> None:
    nan = np.nan
    gaps = table([[0.5, nan], [nan, 0.2]], [[1.0, nan], [nan, 3.0]])
    np.testing.assert_array_equal(prompt_choices(gaps).at_budget(None), [[1, 0], [0, 1]])
    fixed = fixed_models(gaps)
    assert (fixed["m0"].quality, fixed["m0"].rows) == (0.5, 1)


def test_classes_pool_their_rows() -> None:
    data = table([[0.0, 1.0], [1.0, 0.0], [0.2, 0.6], [0.8, 0.4]], [[1, 1]] * 4, ("a", "b"))
    choices = class_choices(data, data.task_of, 2)
    np.testing.assert_allclose(choices.quality, [[0.1, 0.8], [0.9, 0.2]])
    np.testing.assert_allclose(choices.weight, [0.5, 0.5])


def test_a_curve_rises_in_both_coordinates_and_ends_at_the_best() -> None:
    rng = np.random.default_rng(3)
    choices = prompt_choices(table(rng.random((50, 3)).tolist(), rng.lognormal(-7, 2, (50, 3)).tolist()))
    curve = choices.curve()
    assert (np.diff(curve.cost_usd) > 0).all()
    assert (np.diff(curve.quality) >= 0).all()
    assert curve.quality[-1] == pytest.approx(choices.quality_at(None))
