"""Which differences between models are real: every pair on the prompts that both answered."""

import math
from collections.abc import Sequence

from banditroute.benching.results import BenchResult, Difference, Measure
from banditroute.reports import columns
from banditroute.reports import format as write
from banditroute.reports.charts import dots
from banditroute.reports.parts import Block, Cell, Chart, Column, Fold, Section, Table, breaks
from banditroute.reports.sections.bench.standing import best_row, by_cost, difference_to
from banditroute.reports.units import DOLLARS, QUALITY, SECONDS, Unit

_UNITS: dict[Measure, Unit] = {"quality": QUALITY, "cost_usd": DOLLARS, "latency_s": SECONDS}
_TITLES: dict[Measure, str] = {"quality": "Quality", "cost_usd": "Dollars a call", "latency_s": "Seconds"}


def differences_section(result: BenchResult) -> Section | None:
    """The section: each model against the best, then every pair; None where there is no pair."""
    if not result.differences:
        return None
    intro = (
        "Each pair is compared prompt by prompt, so that hard prompts do not count against either. A difference is "
        "called real at the 5% level with all comparisons taken together; where it is not shown, more prompts may tell."
    )
    return Section("differences", "Which differences are real", intro, (*_against_best(result), *_folds(result)))


def _against_best(result: BenchResult) -> tuple[Block, ...]:
    best = best_row(result)
    if best is None:
        return ()
    others = [row.model for row in reversed(by_cost(result)) if row.model != best.model]
    found = [(name, each) for name in others if (each := difference_to(result, best.model, name)) is not None]
    if not found:
        return ()
    chart = Chart(
        name="against-best",
        title=f"Every model against {best.model}, by quality",
        description=f"Differences of quality to {best.model}. {' '.join(each.verdict for _, each in found)}",
        caption="Left of the line is worse. A bar that reaches the line may be chance.",
        draw=dots.Dots(
            tuple(name for name, _ in found),
            ("difference",),
            (
                dots.Measure(
                    "Quality, difference", tuple((_turned(each, best.model),) for _, each in found), QUALITY.ticks, 0.0
                ),
            ),
            "no difference",
        ),
        data=_table("against-best-data", "Every difference in the chart.", [each for _, each in found]),
    )
    return (chart,)


def _turned(each: Difference, best: str) -> dots.Dot:
    """The difference as another model's less the best one's."""
    mean = each.mean
    return (
        dots.Dot(-mean.value, -mean.high, -mean.low)
        if each.first == best
        else dots.Dot(mean.value, mean.low, mean.high)
    )


def _folds(result: BenchResult) -> tuple[Fold, ...]:
    overall = tuple(
        Fold(f"{_TITLES[measure]}, all pairs: {_real(found)}", (_table(f"pairs-{measure}", _CAPTION, found),))
        for measure in _UNITS
        if (found := result.compared(measure))
    )
    by_task = [each for each in result.differences if each.task]
    if not by_task:
        return overall
    table = _table("pairs-by-task", _CAPTION, by_task)
    return (*overall, Fold(f"Quality, task by task: {_real(by_task)}", (table,)))


_CAPTION = "The first model has the larger mean. Bold: shown to be real."


def _real(found: Sequence[Difference]) -> str:
    shown = sum(each.shown for each in found)
    return f"{shown} of {write.plural(len(found), 'difference')} {'is' if shown == 1 else 'are'} real"


def _table(name: str, caption: str, found: Sequence[Difference]) -> Table:
    tasks = (columns.words("task", "Task", [each.task for each in found]),) if any(each.task for each in found) else ()
    return Table(
        name=name,
        caption=caption,
        columns=(
            *tasks,
            columns.words("first", "First", [each.first for each in found]),
            columns.words("second", "Second", [each.second for each in found]),
            Column("difference", "Difference", tuple(map(_difference, found))),
            columns.counts("prompts", "Prompts", [each.prompts for each in found]),
            columns.numbers("p_value", "p", [each.p_value for each in found], _p),
            columns.words("verdict", "In words", [each.verdict for each in found]),
        ),
        breaks=breaks([each.task for each in found]),
    )


def _difference(each: Difference) -> Cell:
    unit, (value, low, high) = _UNITS[each.measure], each.mean
    ends = "" if math.isnan(low) else write.between(low, high, unit.change)
    return Cell(unit.change(value), None if math.isnan(value) else value, strong=each.shown, detail=ends)


def _p(value: float) -> str:
    return "<.001" if value < 0.001 else f"{value:.3f}".removeprefix("0")
