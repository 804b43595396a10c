"""All results in one table, and stretch by stretch where something happened in between."""

import itertools
import math
from dataclasses import replace

from banditroute.reports import columns
from banditroute.reports import format as write
from banditroute.reports.findings import SPEND_TOLERANCE, budget_order, gap_closed, leaders
from banditroute.reports.parts import Cell, Column, Section, Table
from banditroute.simulation.results import Phase, PolicyResult, SimulationResult, mean_ci95

_RULE = (
    "Bold: at each budget the highest quality among policies that held it (mean spend at most "
    f"{SPEND_TOLERANCE:.0%} above), and any whose 95% interval overlaps that one's. "
    "Policies that see outcomes in advance (oracle, class-lp) take no part."
)


def outcomes_section(result: SimulationResult) -> Section:
    """The section: one row per budget and policy, grouped by budget."""
    ordered = sorted(result.results, key=budget_order)
    groups = [tuple(group) for _, group in itertools.groupby(ordered, key=budget_order)]
    strong = [lead for group in groups for lead in leaders(group)]
    breaks = frozenset(itertools.accumulate(len(group) for group in groups[:-1]))
    caption = "Means over seeds, where there are several." + (f" {_RULE}" if any(strong) else "")
    table = Table("results", caption, _columns(ordered, strong), breaks if max(map(len, groups)) > 1 else frozenset())
    intro = (
        "Envelope and oracle are what the best fixed mix of models and perfect foresight get at the same budget; "
        "the gap closed is how far a policy gets from the one to the other."
    )
    return Section("all-results", "All results", intro, (table,))


def _columns(ordered: list[PolicyResult], strong: list[bool]) -> tuple[Column, ...]:
    intervals = [mean_ci95(one.quality) for one in ordered]
    used = [_utilisation(one) for one in ordered]
    return (
        columns.budgets([one.budget_usd for one in ordered]),
        columns.words("policy", "Policy", [one.policy for one in ordered]),
        _emphasised(columns.quality("quality", "Quality", [mean for mean, _, _ in intervals]), strong),
        _intervals(intervals),
        columns.money("cost_usd", "Cost per request", [float(one.cost_usd.mean()) for one in ordered]),
        columns.numbers("utilisation_mean", "Budget used", [mean for mean, _ in used], write.ratio),
        columns.numbers("utilisation_max", "Worst seed", [most for _, most in used], write.ratio),
        columns.quality("envelope_quality", "Envelope", [one.envelope_quality for one in ordered]),
        columns.quality("oracle_quality", "Oracle", [one.oracle_quality for one in ordered]),
        columns.numbers("gap_closed", "Gap closed", [gap_closed(one) for one in ordered], write.percent),
    )


def _emphasised(column: Column, strong: list[bool]) -> Column:
    cells = tuple(Cell(cell.text, cell.value, lead) for cell, lead in zip(column.cells, strong, strict=True))
    return Column(column.key, column.label, cells)


def _intervals(intervals: list[tuple[float, float, float]]) -> Column:
    texts = [write.interval(low, high) if low < high else write.ABSENT for _, low, high in intervals]
    return Column("quality_ci95", "95% interval", tuple(Cell(text, text) for text in texts))


def _utilisation(one: PolicyResult | Phase) -> tuple[float, float]:
    """Spend over budget, as the mean over seeds and of the worst one; nan without a budget."""
    used = one.utilisation
    return (math.nan, math.nan) if used is None else (float(used.mean()), float(used.max()))


def phases_section(result: SimulationResult) -> Section | None:
    """The section: every policy before, between and after events; None where nothing happened."""
    rows = [(one, phase) for one in sorted(result.results, key=budget_order) for phase in one.phases]
    if all(len(one.phases) < 2 for one in result.results):
        return None
    starts = frozenset(n for n, (_, phase) in enumerate(rows) if n and phase is rows[n][0].phases[0])
    table = Table("stretches-table", "Means over seeds.", _phase_columns(rows), starts)
    intro = "The stream falls into stretches between events; requests count from the first one scored."
    return Section("stretches", "Before and after each event", intro, (table,))


def _phase_columns(rows: list[tuple[PolicyResult, Phase]]) -> tuple[Column, ...]:
    intervals = [mean_ci95(phase.quality) for _, phase in rows]
    used = [_utilisation(phase) for _, phase in rows]
    return (
        columns.budgets([one.budget_usd for one, _ in rows]),
        columns.words("policy", "Policy", [one.policy for one, _ in rows]),
        columns.counts("first", "From request", [phase.first for _, phase in rows]),
        columns.counts("last", "Up to", [phase.last for _, phase in rows]),
        *_budgets_then(rows),
        columns.quality("quality", "Quality", [mean for mean, _, _ in intervals]),
        _intervals(intervals),
        columns.money("cost_usd", "Cost per request", [float(phase.cost_usd.mean()) for _, phase in rows]),
        columns.numbers("utilisation_mean", "Budget used", [mean for mean, _ in used], write.ratio),
        columns.numbers("utilisation_max", "Worst seed", [most for _, most in used], write.ratio),
    )


def _budgets_then(rows: list[tuple[PolicyResult, Phase]]) -> tuple[Column, ...]:
    """The budget of each stretch, where an event changes it."""
    if all(phase.budget_usd == one.budget_usd for one, phase in rows):
        return ()
    then = columns.budgets([phase.budget_usd for _, phase in rows])
    return (replace(then, key="stretch_budget_usd", label="Budget then", numeric=True),)
