"""What the page of a simulation says, and that no shape of result breaks it."""

from dataclasses import replace

import numpy as np
import pytest

from banditroute.reports import Chart, Fold, Note, Table, render, simulation_report
from banditroute.reports import format as write
from banditroute.reports.parts import Column, Report
from banditroute.simulation.results import mean_ci95


def blocks(report: Report) -> list:
    found = []
    waiting = [block for section in report.sections for block in section.blocks]
    while waiting:
        block = waiting.pop(0)
        found.append(block)
        waiting += block.blocks if isinstance(block, Fold) else ()
    return found


def named(report: Report, name: str) -> Table:
    tables = [block.data if isinstance(block, Chart) else block for block in blocks(report)]
    return next(table for table in tables if getattr(table, "name", "") == name)


def values(table: Table, key: str) -> list:
    column: Column = next(column for column in table.columns if column.key == key)
    return [cell.value for cell in column.cells]


@pytest.fixture(scope="module")
def report(usual):
    return simulation_report(usual)


def test_the_sections_come_from_finding_to_detail(report):
    assert [section.title for section in report.sections] == [
        "Quality against spend",
        "All results",
        "Spend over time",
        "Who serves",
        "Task classes and models",
        "Notes and definitions",
    ]


def test_all_results_are_in_the_table(usual, report):
    table = named(report, "results")
    assert len(table.rows) == len(usual.results)
    shown = {
        (policy, budget): q
        for policy, budget, q in zip(
            values(table, "policy"), values(table, "budget_usd"), values(table, "quality"), strict=True
        )
    }
    for one in usual.results:
        assert shown[one.policy, one.budget_usd] == pytest.approx(one.quality.mean())
    assert values(table, "utilisation_max") == pytest.approx(
        [float(one.utilisation.max()) for one in sorted(usual.results, key=lambda one: one.budget_usd)]
    )


def test_bold_marks_a_leader_at_every_budget_and_is_explained(report):
    table = named(report, "results")
    quality = next(column for column in table.columns if column.key == "quality")
    bold = {budget for budget, cell in zip(values(table, "budget_usd"), quality.cells, strict=True) if cell.strong}
    assert bold == set(values(table, "budget_usd"))
    assert "Bold:" in table.caption


def test_the_chart_of_quality_and_spend_holds_every_point(usual, report):
    table = named(report, "quality-spend-data")
    assert len(table.rows) == len(usual.results) + len(usual.models)
    first = usual.results[0]
    mean, low, high = mean_ci95(first.quality)
    assert [values(table, key)[0] for key in ("quality", "quality_low", "quality_high")] == pytest.approx(
        [mean, low, high]
    )


def test_spend_over_time_ends_at_the_utilisation(usual, report):
    lead = [one for one in usual.results if one.policy == "thompson"]
    table = named(report, "spend-over-time-data")
    ends = [row for row in table.rows if row[1].value == usual.requests]
    assert [row[2].value for row in ends] == pytest.approx([float(one.utilisation.mean()) for one in lead])
    assert [row[4].value for row in ends] == pytest.approx([float(one.utilisation.max()) for one in lead])


def test_model_shares_add_up(usual, report):
    table = named(report, "model-share-data")
    for row in table.rows:
        assert sum(cell.value for cell in row[2:]) == pytest.approx(1)


def test_edges_show_what_was_learned_beside_what_is_true(usual, report):
    table = named(report, "edge-map-0-data")
    edge = usual.results[0].edges[0]
    assert [cell.value for cell in table.rows[0]] == [
        edge.task,
        edge.model,
        edge.share,
        edge.quality,
        edge.quality_sd,
        edge.true_quality,
        edge.cost_usd,
        edge.true_cost_usd,
    ]
    grid = named(report, "edges-0")
    assert grid.rows[0][1].detail == f"{write.quality(edge.quality)} ± {write.quality(edge.quality_sd)}"


def test_one_budget_is_open_and_the_rest_are_folded(report):
    folds = [block for block in blocks(report) if isinstance(block, Fold)]
    assert len(folds) == 5
    assert sum(fold.opened for fold in folds) == 1


def test_notes_and_what_it_takes_to_repeat_are_on_the_page(usual, report):
    html = render(replace(report, sections=report.sections[-1:]))
    assert usual.notes[0] in html
    assert "seeds 0 to 19" in html
    assert "21,835 simulated decisions per second" in html


def test_without_a_budget_the_page_says_so(make):
    report = simulation_report(make(policies=("greedy",), budgets=(None,)))
    assert [block.text for block in blocks(report) if isinstance(block, Note)] == [
        "No budget was set, so there is none to hold."
    ]
    assert render(report)


def test_events_split_the_results(make, usual):
    result = make(policies=("thompson",), budgets=(0.001,), events=(300, 600))
    report = simulation_report(result)
    table = named(report, "stretches-table")
    assert list(zip(values(table, "first"), values(table, "last"), strict=True)) == [(0, 300), (300, 600), (600, 900)]
    charts = [block for block in blocks(report) if isinstance(block, Chart)]
    assert next(chart for chart in charts if chart.name == "spend-over-time").draw.events == (300, 600)
    assert "stretches" not in [section.name for section in simulation_report(usual).sections]


def test_a_budget_that_an_event_changes_is_held_against_what_it_then_is(make):
    result = make(policies=("thompson",), budgets=(0.001,), events=(300,))
    (one,) = result.results
    before, after = one.phases
    halved = replace(one, phases=(before, replace(after, budget_usd=0.0005)))
    report = simulation_report(replace(result, results=(halved,)))
    table = named(report, "stretches-table")
    assert values(table, "stretch_budget_usd") == [0.001, 0.0005]
    used = [float(phase.cost_usd.mean() / usd) for phase, usd in zip(halved.phases, (0.001, 0.0005), strict=True)]
    assert values(table, "utilisation_mean") == pytest.approx(used)
    assert values(named(report, "spend-over-time-data"), "mean")[-1] == pytest.approx(halved.utilisation.mean())
    assert "stretch_budget_usd" not in {column.key for column in named(simulation_report(result), table.name).columns}


def test_the_finding_measures_overspending_by_the_mean_budget(make):
    result = make(policies=("thompson",), budgets=(0.001,), events=(300,))
    (one,) = result.results
    before, after = one.phases
    dear = replace(one, cost_usd=np.full(20, 0.001), phases=(before, replace(after, budget_usd=0.0004)))
    assert "overspent by 67%" in simulation_report(replace(result, results=(dear,))).summary


def many(world):
    names = tuple(f"vendor-{k}/a-very-long-model-name-indeed-{k}-2025-01-0{k % 9}-preview" for k in range(11))
    return world(models=names, tasks=tuple(f"task class {c}" for c in range(30)), rows=600)


CASES = {
    "one seed": lambda make, world: make(policies=("thompson",), budgets=(0.001,), seeds=1),
    "one model": lambda make, world: make(world(models=("only",)), policies=("thompson",), budgets=(0.001,)),
    "one class": lambda make, world: make(world(tasks=("all",)), policies=("thompson",), budgets=(0.001,)),
    "thirty classes and eleven models": lambda make, world: make(many(world), policies=("thompson",), budgets=(0.001,)),
    "more models than shades": lambda make, world: make(
        world(models=tuple(f"m{k}" for k in range(15)), rows=90), policies=("thompson",), budgets=(0.001,)
    ),
    "nothing learned": lambda make, world: make(policies=("mixture",), budgets=(0.001, None)),
    "a dollar budget": lambda make, world: make(world(cheapest_usd=0.5), policies=("thompson",), budgets=(40.0,)),
    "a budget beyond reach": lambda make, world: make(policies=("thompson",), budgets=(1e-9,)),
    "many policies": lambda make, world: make(
        policies=tuple(f"fixed:{'llama-3.1-8b-instruct'}" if k == 0 else f"p{k}" for k in range(16)), budgets=(0.001,)
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_any_shape_of_result_gives_a_page(case, make, world):
    result = CASES[case](make, world)
    html = render(simulation_report(result))
    assert f"{write.count(result.requests)} requests" in html
    assert ">nan" not in html
    assert "NaN" not in html
    assert "$nan" not in html


def test_nothing_simulated_gives_a_page(usual):
    assert "No policy was simulated." in render(simulation_report(replace(usual, results=())))


def test_free_and_unobserved_models(make, usual):
    fixed = dict(usual.fixed)
    names = list(fixed)
    fixed[names[0]] = replace(fixed[names[0]], cost_usd=0.0)
    fixed[names[1]] = replace(fixed[names[1]], cost_usd=np.nan, quality=np.nan, rows=0)
    html = render(simulation_report(replace(usual, fixed=fixed, results=usual.results[:1])))
    assert ">free<" in html


def test_edges_without_learned_or_true_values(usual):
    one = usual.results[0]
    edges = tuple(
        replace(
            edge,
            quality=np.nan,
            quality_sd=np.nan,
            cost_usd=np.nan,
            **({} if n else {"true_quality": np.nan, "true_cost_usd": np.nan}),
        )
        for n, edge in enumerate(one.edges)
    )
    report = simulation_report(replace(usual, results=(replace(one, edges=edges),)))
    assert "hollow marks" in next(
        block.caption for block in blocks(report) if getattr(block, "name", "") == "edge-map-0"
    )
    assert render(report)
    assert "Task classes and models" not in [
        section.title for section in simulation_report(replace(usual, results=(replace(one, edges=()),))).sections
    ]
