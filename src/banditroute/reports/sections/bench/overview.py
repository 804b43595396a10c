"""The telling numbers, and quality against dollars, model by model."""

from banditroute.benching.results import BenchResult, BenchRow
from banditroute.reports import format as write
from banditroute.reports.charts.cost_quality import CostQuality, Point
from banditroute.reports.parts import Block, Card, Cards, Chart, Section
from banditroute.reports.sections.bench.standing import best_row, by_cost, cheapest_rival, quality_of
from banditroute.reports.sections.bench.tables import UNKNOWN, model_table


def overview_section(result: BenchResult) -> Section:
    """The section: cards, the chart, and a row per model."""
    rows = by_cost(result)
    placed = any(row.quality is not None and row.cost_usd is not None for row in rows)
    chart: tuple[Block, ...] = (_chart(rows),) if placed else ()
    table = model_table("models", "All prompts; 95% intervals beneath.", rows)
    return Section("overview", "Quality against dollars", "", (Cards(_cards(result)), *chart, table))


def _cards(result: BenchResult) -> tuple[Card, ...]:
    best, rival = best_row(result), cheapest_rival(result)
    failed = sum(row.failed for row in result.rows_of())
    judging = f"of which {write.money(result.judging_usd)} for judges" if result.judging_usd else "no judges paid"
    return (
        *(() if best is None else (Card("Best quality", write.quality(quality_of(best)), best.model),)),
        *(() if rival is None else (Card("Close, for less", write.quality(quality_of(rival)), _less(rival)),)),
        Card("Spent on this benchmark", write.money(result.spent_usd), judging),
        Card("Calls without an answer", write.count(failed), f"of {write.count(result.done)} finished"),
    )


def _less(rival: BenchRow) -> str:
    price = "" if rival.cost_usd is None else f", {write.money(rival.cost_usd.value)} a call"
    return f"{rival.model}{price}; not shown to be worse"


def _chart(rows: tuple[BenchRow, ...]) -> Chart:
    draw = CostQuality((), points=tuple(map(_point, rows)), points_label="model, with 95% intervals")
    absent = [row.model for row in rows if row.quality is None or row.cost_usd is None]
    missing = f" Not shown, for lack of answers or grades: {write.listing(absent)}." if absent else ""
    spoken = "; ".join(
        f"{row.model} gets {write.quality(row.quality.value)} at {write.money(row.cost_usd.value)}"
        for row in rows
        if row.quality is not None and row.cost_usd is not None
    )
    return Chart(
        name="quality-dollars",
        title="Quality and dollars of every model",
        description=f"Mean quality against mean dollars a call. {spoken}.",
        caption="Up and to the left is better. A model with another one above and to its left is worth a place in the "
        f"pool only for tasks at which it is better.{missing}",
        draw=draw,
        data=model_table("quality-dollars-data", "Every point in the chart.", rows),
    )


def _point(row: BenchRow) -> Point:
    quality, cost = row.quality or UNKNOWN, row.cost_usd or UNKNOWN
    return Point(row.model, cost.value, quality.value, quality.low, quality.high, cost.low, cost.high)
