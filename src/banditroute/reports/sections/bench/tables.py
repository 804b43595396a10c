"""A row per model: quality, dollars, seconds and failures, over all prompts and task by task."""

import math
from collections.abc import Sequence

from banditroute.benching.results import BenchResult, BenchRow, Estimate
from banditroute.reports import columns
from banditroute.reports import format as write
from banditroute.reports.parts import Cell, Column, Fold, Section, Table, breaks
from banditroute.reports.sections.bench.standing import by_cost
from banditroute.reports.units import DOLLARS, QUALITY, SECONDS, Unit

UNKNOWN = Estimate(math.nan, math.nan, math.nan)


def tasks_section(result: BenchResult) -> Section | None:
    """The section: quality by task and model, and all figures behind a fold; None where there is one task."""
    if len(result.tasks) < 2:
        return None
    rows = [row for task in result.tasks for row in result.rows_of(task)]
    figures = model_table("task-models", "Figures by task and model; 95% intervals beneath.", rows)
    intro = "A router earns most where models differ by task: each task class can go to the model that does it well."
    return Section("tasks", "Task by task", intro, (_grid(result), Fold("All figures by task and model", (figures,))))


def model_table(name: str, caption: str, rows: Sequence[BenchRow]) -> Table:
    """A table of rows, with their tasks unless all are over all prompts."""
    tasks = [row.task for row in rows]
    return Table(
        name=name,
        caption=caption,
        columns=(
            *((columns.words("task", "Task", tasks),) if any(tasks) else ()),
            columns.words("model", "Model", [row.model for row in rows]),
            *_figures(rows),
        ),
        breaks=breaks(tasks),
    )


def _figures(rows: Sequence[BenchRow]) -> tuple[Column, ...]:
    return (
        _estimates(QUALITY, "Quality", [row.quality for row in rows]),
        _estimates(DOLLARS, "Dollars a call", [row.cost_usd for row in rows]),
        _estimates(SECONDS, "Median", [row.latency_p50_s for row in rows], "latency_p50_s"),
        _estimates(SECONDS, "95th percentile", [row.latency_p95_s for row in rows], "latency_p95_s"),
        columns.counts("calls", "Calls", [row.calls for row in rows]),
        columns.counts("failed", "Failed", [row.failed for row in rows]),
        columns.money("total_usd", "Dollars in all", [row.total_usd for row in rows]),
    )


def _estimates(unit: Unit, label: str, found: Sequence[Estimate | None], key: str = "") -> Column:
    values = [math.nan if each is None else each.value for each in found]
    ends = [None if each is None else (each.low, each.high) for each in found]
    return columns.estimates(key or unit.key, label, values, ends, unit.text)


def _grid(result: BenchResult) -> Table:
    models = [row.model for row in by_cost(result)]
    leads = {task: _lead(result.rows_of(task)) for task in result.tasks}
    found = {(row.model, row.task): row for row in result.rows}
    grid = [
        Column(model, model, tuple(_cell(found.get((model, task)), leads[task]) for task in result.tasks))
        for model in models
    ]
    return Table(
        name="task-quality",
        caption="Quality by task, cheapest model first, with its 95% interval; the best of each task is bold.",
        columns=(columns.words("task", "Task", result.tasks), *grid),
    )


def _lead(rows: Sequence[BenchRow]) -> float:
    return max((row.quality.value for row in rows if row.quality is not None), default=math.nan)


def _cell(row: BenchRow | None, lead: float) -> Cell:
    if row is None or row.quality is None:
        return Cell(write.ABSENT, None)
    value, low, high = row.quality
    return Cell(
        write.quality(value), value, strong=value == lead, detail="" if math.isnan(low) else write.interval(low, high)
    )


def latency_table(rows: Sequence[BenchRow]) -> Table:
    """The median and the 95th percentile of each model with their intervals, in full when exported."""
    return Table(
        name="latency-chart-data",
        caption="Every dot and interval in the chart.",
        columns=(
            columns.words("model", "Model", [row.model for row in rows]),
            *_ends("p50", "Median", [row.latency_p50_s for row in rows]),
            *_ends("p95", "95th percentile", [row.latency_p95_s for row in rows]),
            columns.counts("answered", "Answers", [row.answered for row in rows]),
        ),
    )


def _ends(key: str, label: str, found: Sequence[Estimate | None]) -> tuple[Column, Column, Column]:
    known = [each or UNKNOWN for each in found]
    return (
        columns.numbers(f"{key}_s", label, [each.value for each in known], write.seconds),
        columns.numbers(f"{key}_low_s", "95% low", [each.low for each in known], write.seconds),
        columns.numbers(f"{key}_high_s", "95% high", [each.high for each in known], write.seconds),
    )
