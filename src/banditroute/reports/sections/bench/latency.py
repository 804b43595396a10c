"""How long answers take: the median and what 95% of answers stay below."""

from banditroute.benching.results import BenchResult, Estimate
from banditroute.reports.charts.dots import UNKNOWN, Dot, Dots, Measure
from banditroute.reports.parts import Chart, Section
from banditroute.reports.sections.bench.standing import by_cost
from banditroute.reports.sections.bench.tables import latency_table
from banditroute.reports.units import SECONDS


def latency_section(result: BenchResult) -> Section | None:
    """The section: dots for both, a row per model; None where no call was answered."""
    rows = [row for row in by_cost(result) if row.latency_p50_s is not None]
    if not rows:
        return None
    dots = tuple((_dot(row.latency_p50_s), _dot(row.latency_p95_s)) for row in rows)
    spoken = "; ".join(
        f"{row.model} {SECONDS.text(row.latency_p50_s.value)} and {SECONDS.text(row.latency_p95_s.value)}"
        for row in rows
        if row.latency_p50_s is not None and row.latency_p95_s is not None
    )
    chart = Chart(
        name="latency-chart",
        title="Seconds to the whole answer",
        description=f"Median and 95th percentile of each model: {spoken}.",
        caption="Bars are 95% intervals. Cheapest model on top.",
        draw=Dots(
            tuple(row.model for row in rows), ("median", "95th percentile"), (Measure("Seconds", dots, SECONDS.ticks),)
        ),
        data=latency_table(rows),
    )
    return Section("latency", "How long answers take", "", (chart,))


def _dot(estimate: Estimate | None) -> Dot:
    return UNKNOWN if estimate is None else Dot(*estimate)
