"""What the page of a benchmark says: who is best, who is as close for less, which differences are real, what failed."""

import csv
import math
from dataclasses import replace
from itertools import combinations

from banditroute.benching.results import BenchResult, BenchRow, Difference, Estimate
from banditroute.reports.bench import bench_report, save_bench_figures, write_bench_report
from banditroute.reports.charts.canvas import drawing

QUALITY = {"gemini-2.5-pro": 0.932, "claude-haiku-4.5": 0.915, "mistral-large": 0.871, "llama-3.1-8b": 0.702}
DOLLARS = {"gemini-2.5-pro": 0.0118, "claude-haiku-4.5": 0.0021, "mistral-large": 0.0009, "llama-3.1-8b": 0.00002}
SECONDS = {"gemini-2.5-pro": 9.4, "claude-haiku-4.5": 2.1, "mistral-large": 1.7, "llama-3.1-8b": 0.62}
SHIFT = {"": 0.0, "code": -0.04, "qa": 0.03, "summaries": 0.01}


def around(value: float, half: float, most: float = math.inf) -> Estimate:
    return Estimate(value, value - half, min(value + half, most))


def a_row(model: str, task: str, prompts: int, *, answered: bool = True, graded: bool = True) -> BenchRow:
    quality, cost, seconds = min(QUALITY[model] + SHIFT.get(task, 0.0), 1.0), DOLLARS[model], SECONDS[model]
    half = 0.3 / math.sqrt(prompts)
    failed = {"RateLimitedError": 2, "ServerError": 1} if model == "mistral-large" and not task else {}
    calls = prompts if answered else 4
    count = calls - sum(failed.values()) if answered else 0
    return BenchRow(
        model=model,
        task=task,
        prompts=prompts,
        calls=calls,
        answered=count,
        graded=count if graded else 0,
        quality=around(quality, half, 1.0) if answered and graded else None,
        cost_usd=around(cost, 0.08 * cost) if answered else None,
        total_usd=cost * calls,
        latency_p50_s=around(seconds, 0.05 * seconds) if answered else None,
        latency_p95_s=around(2.3 * seconds, 0.3 * seconds) if answered else None,
        failures=failed if answered else {"AuthenticationError": 4},
    )


def a_difference(measure, first: str, second: str, task: str, values, prompts: int) -> Difference:
    change = values[first] - values[second]
    half = 0.03 if measure == "quality" else 0.1 * values[first]
    shown = change > half
    word = "is better than" if shown else "is not shown to be better than"
    verdict = f"{first} {word} {second} by {measure}."
    return Difference(
        measure, first, second, task, prompts, around(change, half), 0.0004 if shown else 0.31, shown, verdict
    )


def differences(models, tasks) -> tuple[Difference, ...]:
    found = []
    for measure, values in (("quality", QUALITY), ("cost_usd", DOLLARS), ("latency_s", SECONDS)):
        for one, other in combinations(models, 2):
            first, second = sorted((one, other), key=lambda name: -values[name])
            found.append(a_difference(measure, first, second, "", values, 120))
    for task in tasks:
        for one, other in combinations(models, 2):
            first, second = sorted((one, other), key=lambda name: -QUALITY[name])
            found.append(a_difference("quality", first, second, task, QUALITY, 40))
    return tuple(found)


def a_bench(
    models: tuple[str, ...] = tuple(QUALITY),
    tasks: tuple[str, ...] = ("code", "qa", "summaries"),
    *,
    graded: bool = True,
    silent: str = "",
    done: int | None = None,
) -> BenchResult:
    """A benchmark of 120 prompts; a silent model never answered."""
    rows = [
        a_row(model, task, 40 if task else 120, answered=model != silent, graded=graded)
        for task in ("", *tasks)
        for model in models
    ]
    speaking = [model for model in models if model != silent]
    planned = 120 * len(models)
    return BenchResult(
        name="support-prompts",
        prompts=120,
        repeats=1,
        models=models,
        tasks=tasks,
        rows=tuple(rows),
        differences=differences(speaking, tasks if len(tasks) > 1 else ()) if graded else (),
        spent_usd=1.79,
        judging_usd=0.21,
        planned=planned,
        done=planned if done is None else done,
        notes=("3 answers were cut off at 1,024 tokens.",),
    )


def test_the_finding_names_the_best_and_who_is_not_shown_to_be_worse_for_less(lawful) -> None:
    report = bench_report(a_bench())
    assert report.summary == (
        "gemini-2.5-pro answers best: quality .932 (95% interval .905 to .959) at $0.012 a call. claude-haiku-4.5 "
        "(.915) is not shown to be worse on these 120 prompts, for 18% of its dollars."
    )
    lawful(report)


def test_a_cheaper_model_that_is_shown_to_be_worse_is_not_recommended() -> None:
    report = bench_report(a_bench(models=("gemini-2.5-pro", "llama-3.1-8b")))
    assert "no cheaper model comes close enough" in report.summary
    assert "Close, for less" not in [card.label for card in report.sections[0].blocks[0].cards]


def test_a_cheaper_model_that_does_better_on_shared_prompts_is_close() -> None:
    best, close = "gemini-2.5-pro", "claude-haiku-4.5"
    bench = a_bench(models=(best, close))
    turned = tuple(replace(each, first=close, second=best, shown=True) for each in bench.compared("quality"))
    assert f"{close} (.915) is not shown to be worse" in bench_report(replace(bench, differences=turned)).summary


def test_a_benchmark_cut_short_says_so(lawful) -> None:
    report = bench_report(a_bench(done=300))
    assert report.summary.endswith("The benchmark is not finished: 300 of 480 calls.")
    lawful(report)


def test_nothing_is_said_of_quality_where_nothing_was_graded(lawful) -> None:
    report = bench_report(a_bench(graded=False))
    assert report.summary.startswith("No answer was graded")
    html = lawful(report)
    assert "Which differences are real" not in html
    assert "quality-dollars" not in html


def test_a_model_that_never_answered_is_named_not_drawn(chart, column, lawful) -> None:
    report = bench_report(a_bench(silent="gemini-2.5-pro"))
    assert "Not shown, for lack of answers or grades: gemini-2.5-pro." in chart(report, "quality-dollars").caption
    assert [cell.value for cell in column(report, "models", "quality")][-1] is None
    assert "AuthenticationError" in lawful(report)


def test_failures_are_counted_by_kind_and_model(column, lawful) -> None:
    report = bench_report(a_bench())
    assert [cell.text for cell in column(report, "failures-table", "failure")] == ["RateLimitedError", "ServerError"]
    assert [cell.value for cell in column(report, "failures-table", "mistral-large")] == [2, 1]
    assert [cell.value for cell in column(report, "failures-table", "llama-3.1-8b")] == [0, 0]
    assert "Every call was answered." in lawful(bench_report(a_bench(models=("gemini-2.5-pro",), tasks=("all",))))


def test_each_model_is_held_against_the_best_with_its_sign(chart) -> None:
    draw = chart(bench_report(a_bench()), "against-best").draw
    assert "gemini-2.5-pro" not in draw.rows
    found = {row: dots[0] for row, dots in zip(draw.rows, draw.measures[0].dots, strict=True)}
    assert math.isclose(found["llama-3.1-8b"].value, 0.702 - 0.932)
    assert found["llama-3.1-8b"].low < found["llama-3.1-8b"].value < found["llama-3.1-8b"].high < 0
    assert found["claude-haiku-4.5"].low < 0 < found["claude-haiku-4.5"].high


def test_differences_that_are_real_stand_out_and_come_with_words(column) -> None:
    report = bench_report(a_bench())
    cells = column(report, "pairs-quality", "difference")
    assert [cell.strong for cell in cells] == [each.shown for each in a_bench().compared("quality")]
    assert sum(cell.strong for cell in cells) == 5
    assert len(column(report, "pairs-by-task", "verdict")) == 18


def test_the_best_of_each_task_is_bold(column) -> None:
    report = bench_report(a_bench())
    assert all(cell.strong for cell in column(report, "task-quality", "gemini-2.5-pro"))
    assert not any(cell.strong for cell in column(report, "task-quality", "mistral-large"))


def test_one_model_on_one_task_is_a_page_too(tmp_path, lawful) -> None:
    result = a_bench(models=("mistral-large",), tasks=("all",))
    html = lawful(bench_report(result))
    assert "Task by task" not in html
    write_bench_report(result, tmp_path / "r.html")
    assert (tmp_path / "r.html").read_text(encoding="utf-8") == html


def test_one_prompt_has_no_interval_to_draw(lawful) -> None:
    result = a_bench(tasks=("all",))
    lonely = Estimate(0.5, math.nan, math.nan)
    rows = tuple(
        replace(row, quality=lonely, cost_usd=lonely, latency_p50_s=lonely, latency_p95_s=lonely) for row in result.rows
    )
    html = lawful(bench_report(replace(result, rows=rows, differences=())))
    assert ">nan" not in html.lower()


def test_latency_is_exported_with_intervals(tmp_path) -> None:
    save_bench_figures(a_bench(), tmp_path)
    with (tmp_path / "latency-chart.csv").open(encoding="utf-8", newline="") as file:
        rows = {row["model"]: row for row in csv.DictReader(file)}
    assert float(rows["llama-3.1-8b"]["p50_s"]) == 0.62
    assert float(rows["llama-3.1-8b"]["p95_low_s"]) < float(rows["llama-3.1-8b"]["p95_s"])
    assert {"quality-dollars.svg", "against-best.png", "models.csv"} <= {path.name for path in tmp_path.iterdir()}


def test_intervals_are_drawn_around_each_point(chart) -> None:
    draw = chart(bench_report(a_bench()), "quality-dollars").draw
    with drawing():
        axes = draw(900).axes[0]
    low, high = axes.get_ylim()
    assert low < 0.675
    assert high > 0.959
