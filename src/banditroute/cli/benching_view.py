"""What a benchmark will cost and what it found, as tables that fit 80 columns; no figure is ever cut."""

import math
from collections.abc import Callable, Iterable
from pathlib import Path

from rich.table import Table
from rich.text import Text

from banditroute.benching.estimating import CostEstimate, ModelEstimate
from banditroute.benching.results import ALL_TASKS, BenchResult, BenchRow, Difference, Estimate
from banditroute.cli.tables import add_figures, add_names, plain_console, printable, titled_table
from banditroute.reports import format as form

_FEW_S = 0.1
_NAME_WIDTH = 12  # the least for a model, in columns; longer names go on over several lines


def print_estimate(estimate: CostEstimate) -> None:
    """Prints what the calls that are to be made will cost."""
    console = plain_console()
    console.print(_estimate_table(estimate))
    if estimate.judging.likely_usd:
        console.print(f"judging: {form.money(estimate.judging.likely_usd)}, in the total")
    if estimate.spent_usd:
        console.print(f"spent already, by earlier runs: {form.money(estimate.spent_usd)}")
    for each in estimate.models:
        if each.unfit:
            console.print(f"{printable(each.model)} may not serve {form.count(each.unfit)} of the prompts")
    console.print()


def print_result(result: BenchResult, out: Path) -> None:
    """Prints every model's figures, task by task, which differences are real, and where the table is."""
    console = plain_console()
    title = f"{printable(result.name)}: {form.count(result.prompts)} prompts; 95% intervals below"
    console.print(_rows_table(title, result.rows_of()))
    if len(result.tasks) > 1:
        for task in result.tasks:
            console.print()
            console.print(_rows_table(printable(task), result.rows_of(task)))
    console.print()
    for sentence in (*_verdicts(result.differences), *_failures(result), *result.notes):
        console.print(printable(sentence), soft_wrap=True)
    console.print(_spent(result), soft_wrap=True)
    if any(row.graded for row in result.rows_of()):
        console.print(f"table: {out}", soft_wrap=True)


def _estimate_table(estimate: CostEstimate) -> Table:
    table = titled_table("Will cost")
    add_names(table, "model")
    add_figures(table, "calls", "tokens in", "tokens out", "$ likely", "$ low", "$ at most")
    for each in estimate.models:
        table.add_row(Text(printable(each.model)), *_estimate_cells(each))
    total = (form.money(estimate.likely_usd), form.money(estimate.low_usd), _most(estimate.most_usd))
    table.add_row("all", form.count(estimate.calls), "", "", *total)
    return table


def _estimate_cells(each: ModelEstimate) -> tuple[str, ...]:
    return (
        form.count(each.calls),
        form.count(each.input_tokens),
        f"{form.count(round(each.answer_tokens * each.calls))}{'' if each.seen else '?'}",
        form.money(each.likely_usd),
        form.money(each.low_usd),
        _most(each.most_usd),
    )


def _most(usd: float) -> str:
    return form.money(usd) if math.isfinite(usd) else "no limit"


def _rows_table(title: str, rows: Iterable[BenchRow]) -> Table:
    table = titled_table(title)
    table.add_column("model", overflow="fold", header_style="dim", min_width=_NAME_WIDTH)
    add_figures(table, "quality", "$/call", "p50 s", "p95 s", "failed")
    for row in rows:
        table.add_row(
            Text(printable(row.model)),
            _cell(row.quality, form.quality),
            _cell(row.cost_usd, _dollars),
            _cell(row.latency_p50_s, _seconds),
            _cell(row.latency_p95_s, _seconds),
            f"{form.count(row.failed)}/{form.count(row.calls)}",
        )
    return table


def _cell(figure: Estimate | None, said: Callable[[float], str]) -> str:
    """A figure with its interval beneath."""
    if figure is None:
        return form.ABSENT
    if math.isnan(figure.low) and math.isnan(figure.high):
        return said(figure.value)
    return f"{said(figure.value)}\n{_end(figure.low, said)}–{_end(figure.high, said)}"


def _end(value: float, said: Callable[[float], str]) -> str:
    """An end of an interval; ? where it is not known."""
    return "?" if math.isnan(value) else said(value)


def _dollars(value_usd: float) -> str:
    return form.money(value_usd).removeprefix("$")


def _seconds(value_s: float) -> str:
    return f"{value_s:.{2 if value_s < _FEW_S else 3}g}"  # a third digit of a few milliseconds is noise, and takes room


def _verdicts(differences: Iterable[Difference]) -> Iterable[str]:
    """What is real first; of single tasks only that, for the rest would be long."""
    every = list(differences)
    yield from (each.verdict for each in every if each.shown)
    unshown = [each for each in every if not each.shown]
    yield from (each.verdict for each in unshown if each.task == ALL_TASKS)
    if by_task := sum(each.task != ALL_TASKS for each in unshown):
        yield f"no difference shown in quality, comparing two models on one task: {form.count(by_task)} times"


def _failures(result: BenchResult) -> Iterable[str]:
    for row in result.rows_of():
        if row.failures:
            kinds = form.listing(f"{form.count(count)} {name}" for name, count in row.failures.items())
            yield f"{row.model} failed: {kinds}"
        if row.ungraded:
            yield f"{row.model}: {form.count(row.ungraded)} answers have no quality"


def _spent(result: BenchResult) -> str:
    parts = [f"{printable(row.model)} {form.money(row.total_usd)}" for row in result.rows_of()]
    if result.judging_usd:
        parts.append(f"judging {form.money(result.judging_usd)}")
    return f"spent: {form.money(result.spent_usd)} in all; {form.listing(parts)}"
