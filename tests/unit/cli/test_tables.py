from collections.abc import Callable
from dataclasses import replace
from io import StringIO

import numpy as np
import pytest
from rich.console import Console

from banditroute.cli.tables import print_simulation
from banditroute.simulation.results import Phase, SimulationResult

BuildResult = Callable[..., SimulationResult]

MANY_MODELS = [f"vendor/model-{k}-instruct" for k in range(9)]


def printed(result: SimulationResult, width: int = 80) -> list[str]:
    page = StringIO()
    print_simulation(result, Console(file=page, width=width, markup=False, highlight=False, emoji=False))
    return [line.rstrip() for line in page.getvalue().splitlines()]


def squeezed(lines: list[str]) -> list[str]:
    return [" ".join(line.split()) for line in lines]


def test_each_policy_and_budget_has_a_row_with_every_figure(build_result: BuildResult) -> None:
    lines = printed(build_result(policies=["thompson", "random"], budgets_usd=[0.0005, 0.02]))
    assert "thompson $0.0005 .910 ±.025 $0.00050 100% 102% .905 .955 10%" in squeezed(lines)
    assert "random $0.02 .910 ±.025 $0.020 100% 102% .905 .955 10%" in squeezed(lines)


def test_without_a_budget_nothing_is_said_of_its_use(build_result: BuildResult) -> None:
    assert "thompson no budget .910 ±.025 $0.010 – .905 .955 10%" in squeezed(printed(build_result()))


def test_each_model_has_a_row_and_a_share(build_result: BuildResult) -> None:
    lines = squeezed(printed(build_result()))
    assert "small .800 $0.0010 100" in lines
    assert "thompson no budget 33% 67%" in lines


def test_shares_of_models_without_room_are_summed(build_result: BuildResult) -> None:
    lines = squeezed(printed(build_result(models=[f"m{k}" for k in range(9)])))
    assert "policy budget m6 m7 m8 others" in lines
    assert "thompson no budget 16% 18% 20% 47%" in lines


@pytest.mark.parametrize("width", [80, 100, 160])
def test_no_line_is_wider_than_the_terminal_and_no_figure_is_cut(build_result: BuildResult, width: int) -> None:
    policies = ["thompson", f"fixed:{MANY_MODELS[0]}"]
    budgets = [0.0000293, 0.000657, 0.015, None]
    lines = printed(build_result(policies=policies, budgets_usd=budgets, models=MANY_MODELS), width)
    assert max(map(len, lines)) <= width
    text = "\n".join(lines)
    assert "…" not in text
    assert text.count(".910 ±.025") == len(policies) * len(budgets)


def test_stretches_are_shown_only_where_something_happened(build_result: BuildResult) -> None:
    built = build_result(budgets_usd=[0.01])
    assert not any("Before and after" in line for line in printed(built))
    [result] = built.results
    quality, cost_usd = np.linspace(0.90, 0.92, 3), np.full(3, 0.01)
    phases = (Phase(0, 60, quality, cost_usd, 0.01), Phase(60, 100, quality, cost_usd, 0.02))
    lines = squeezed(printed(replace(built, results=(replace(result, phases=phases),), scenario="storm")))
    assert lines[0] == "table: 100 requests in 3 orders, under storm"
    assert "thompson $0.01 0 60 .910 ±.025 $0.010 100% 100%" in lines
    assert "thompson $0.02 60 100 .910 ±.025 $0.010 50% 50%" in lines


def test_names_that_look_like_markup_are_printed_as_they_are(build_result: BuildResult) -> None:
    lines = printed(build_result(models=["[bold]", ":smile:"]))
    assert any(line.startswith("[bold] ") for line in lines)
    assert any(line.startswith(":smile: ") for line in lines)


def test_notes_come_last(build_result: BuildResult) -> None:
    lines = printed(build_result(notes=["the table has no features"]))
    assert lines[-1] == "note: the table has no features"
