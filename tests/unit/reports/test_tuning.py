"""What the page of a tuning says: the budget to set, what it buys, what it costs a month, where it goes."""

import csv
import math
from dataclasses import replace

import numpy as np
import pytest

from banditroute.evaluation.results import Interval
from banditroute.reports.charts.canvas import drawing
from banditroute.reports.parts import Cards, Code
from banditroute.reports.tuning import save_tuning_figures, tuning_report, write_tuning_report
from banditroute.simulation.results import Frontier
from banditroute.tuning.results import (
    FrontierPoint,
    Recommendation,
    TargetBudget,
    TaskSplit,
    Traffic,
    Tuning,
)

MODELS = ("llama-3.1-8b-instruct", "mistral-large", "gemini-2.5-pro")
CONFIG = '[[budgets]]\nname = "tuned"\nusd_per_request = 0.00049\n'


def quality_at(budget: float) -> float:
    return 0.94 - 0.14 * math.exp(-budget / 0.0003)


def a_point(budget: float, half: float = 0.006) -> FrontierPoint:
    quality = quality_at(budget)
    dear = min(0.03 * budget / 0.0005, 0.3)
    cheap = max(0.6 - budget / 0.0005 * 0.5, 0.05)
    return FrontierPoint(
        budget_usd=budget,
        quality=quality,
        quality_ci90=Interval(quality - half, quality + half),
        cost_usd=0.997 * budget,
        worst_utilisation=1.004,
        quality_per_usd=0.14 / 0.0003 * math.exp(-budget / 0.0003),
        share=dict(zip(MODELS, (cheap, 1 - cheap - dear, dear), strict=True)),
    )


POINTS = tuple(a_point(float(budget)) for budget in np.geomspace(5e-5, 4e-3, 12))


def a_recommendation(target: TargetBudget | None, *, month: float | None = 149.16) -> Recommendation:
    tasks = (
        TaskSplit("code", 0.31, 0.52, 0.00082, 0.893, dict(zip(MODELS, (0.02, 0.78, 0.2), strict=True))),
        TaskSplit("qa", 0.69, 0.48, 0.00034, 0.931, {"llama-3.1-8b-instruct": 0.31, "mistral-large": 0.69}),
    )
    return Recommendation(
        question="quality of .92" if target else "budget of $0.001",
        point=a_point(0.00049 if target else 0.001),
        usd_per_month=month,
        sentences=(
            "A budget of $0.00049 per request reaches quality .92; with 90% confidence it takes $0.00041 to $0.00056.",
            "A tenth more dollars would buy .0045 of quality: one answer in 220.",
        ),
        config_lines=CONFIG,
        tasks=tasks,
        target=target,
    )


def a_tuning(*, target: bool = True, log: bool = False, traffic: bool = True, high: float = 0.00056) -> Tuning:
    """A tuning for a quality and for a budget, on a table or on a log."""
    wanted = TargetBudget(0.92, 0.00049, Interval(0.00041, high), 0.00055, 0.9, 0.94)
    curve = Frontier(np.array([2e-5, 5e-4, 0.0145]), np.array([0.79, 0.918, 0.932]))
    sight = Frontier(np.array([2e-5, 1e-4, 1e-3, 0.0145]), np.array([0.79, 0.9, 0.95, 0.964]))
    asked = (a_recommendation(wanted), a_recommendation(None)) if target else ()
    month = tuple(point.budget_usd * 10_000 * 30.44 for point in POINTS)
    return Tuning(
        source="data/judged9_val.jsonl.gz",
        kind="log" if log else "table",
        warmup=None,
        requests=1785,
        models=MODELS,
        seeds=20,
        frontier=POINTS,
        envelope=None if log else curve,
        oracle=None if log else sight,
        targets=(),
        recommendations=asked,
        traffic=(Traffic(5_000, tuple(usd / 2 for usd in month)), Traffic(10_000, month)) if traffic else (),
        seconds=41.3,
        notes=("Rows are not weighted.",),
    )


def cards(report, section: int = 0) -> dict[str, tuple[str, str]]:
    found = next(block for block in report.sections[section].blocks if isinstance(block, Cards))
    return {card.label: (card.value, card.context) for card in found.cards}


def test_the_first_answer_is_the_finding_and_each_question_has_its_section(lawful) -> None:
    result = a_tuning()
    report = tuning_report(result)
    assert report.summary == result.recommendations[0].sentences[0]
    assert [section.title for section in report.sections] == [
        "For a quality of .92",
        "For a budget of $0.001",
        "What each budget buys",
        "Dollars a month",
        "Notes and definitions",
    ]
    lawful(report)


def test_cards_say_budget_quality_month_and_what_more_would_buy() -> None:
    found = cards(tuning_report(a_tuning()))
    assert found["Budget per request"] == ("$0.00049", "90% interval $0.00041 to $0.00056")
    assert found["A month"][0] == "$149.16"
    point = a_point(0.00049)
    assert found["10% more dollars buy"][0] == f"+{0.1 * 0.00049 * point.quality_per_usd:.3f}".replace("0.", ".")
    assert cards(tuning_report(a_tuning()), 1)["Budget per request"][1] == "as asked for"


def test_an_interval_without_an_end_is_not_written_as_infinity(lawful) -> None:
    html = lawful(tuning_report(a_tuning(high=math.inf)))
    assert "90% interval from $0.00041; no budget tried bounds it above" in html
    assert "inf" not in html.replace("information", "").lower().split("<style>")[0]


def test_a_quality_out_of_reach_is_said_to_be_so() -> None:
    result = a_tuning()
    asked = result.recommendations[0]
    assert asked.target is not None
    missed = replace(asked.target, target_quality=0.99, budget_usd=None, confident_usd=None)
    report = tuning_report(replace(result, recommendations=(replace(asked, target=missed),)))
    assert cards(report)["Budget per request"][1] == "no budget reaches .990"


def test_config_lines_can_be_copied_as_they_are(lawful) -> None:
    report = tuning_report(a_tuning())
    code = next(block for block in report.sections[0].blocks if isinstance(block, Code))
    assert code.text == CONFIG
    assert "usd_per_request = 0.00049\n</code></pre>" in lawful(report)


def test_the_split_shows_each_model_of_each_class(column) -> None:
    report = tuning_report(a_tuning())
    assert [cell.value for cell in column(report, "answer-0-tasks", "dollars_share")] == [0.52, 0.48]
    assert [cell.value for cell in column(report, "answer-0-tasks", "share_gemini-2.5-pro")] == [0.2, 0.0]


def test_the_frontier_is_a_band_between_its_references_with_budgets_marked(chart) -> None:
    draw = chart(tuning_report(a_tuning()), "frontier-chart").draw
    assert [curve.label for curve in draw.curves] == ["best fixed mix (envelope)", "oracle"]
    assert [(choice.budget_usd, choice.high_usd) for choice in draw.choices] == [(0.00049, 0.00056), (0.001, 0.001)]
    assert draw.series[0].band
    with drawing():
        axes = draw(900).axes[0]
    assert axes.get_xlim()[0] < 5e-5 < 4e-3 < axes.get_xlim()[1]


def test_dollars_a_month_are_given_for_each_volume(column) -> None:
    report = tuning_report(a_tuning())
    half, whole = (column(report, "traffic-table", f"usd_per_month_{n}") for n in (5000, 10000))
    assert [cell.value for cell in whole] == [2 * cell.value for cell in half]


def test_a_log_has_no_references_and_without_a_forecast_no_month(lawful) -> None:
    html = lawful(tuning_report(a_tuning(target=False, log=True, traffic=False)))
    assert "envelope" not in html.lower()
    assert "Dollars a month" not in html
    assert "Budgets from $0.000050 to $0.0040 per request buy qualities from .821 to .940." in html


def test_the_curve_is_exported_in_full(tmp_path) -> None:
    save_tuning_figures(a_tuning(), tmp_path)
    with (tmp_path / "frontier-chart.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [float(row["quality"]) for row in rows] == [point.quality for point in POINTS]
    assert [float(row["quality_per_usd"]) for row in rows] == [point.quality_per_usd for point in POINTS]
    assert (tmp_path / "frontier-chart.svg").is_file()


@pytest.mark.parametrize("points", [POINTS[:1], ()])
def test_few_points_are_a_page_too(points, tmp_path, lawful) -> None:
    result = replace(a_tuning(target=False, traffic=False), frontier=points)
    html = lawful(tuning_report(result))
    write_tuning_report(result, tmp_path / "r.html")
    assert (tmp_path / "r.html").read_text(encoding="utf-8") == html
