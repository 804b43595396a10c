"""The telling numbers, and quality against spend for every policy."""

import math

import numpy as np

from banditroute.reports import columns
from banditroute.reports import format as write
from banditroute.reports.charts.cost_quality import CostQuality, Curve, Point, Series
from banditroute.reports.findings import (
    CLOSE_QUALITY,
    best_fixed,
    budget_label,
    budget_order,
    gap_closed,
    lead_results,
    printed_change,
    telling_result,
)
from banditroute.reports.parts import Block, Card, Cards, Chart, Section, Table
from banditroute.simulation.results import PolicyResult, SimulationResult, mean_ci95


def overview_section(result: SimulationResult) -> Section:
    """The section: cards for the result that the headline quotes, and the chart."""
    one = telling_result(result)
    cards: tuple[Block, ...] = () if one is None else (Cards(_cards(one, result)),)
    return Section("overview", "Quality against spend", _intro(one, result), (*cards, _chart(result)))


def _intro(one: PolicyResult | None, result: SimulationResult) -> str:
    if one is None:
        return ""
    where = "without a budget" if one.budget_usd is None else f"at {budget_label(one, result)} per request"
    whose = f"These are the numbers of {one.policy} {where}"
    if len(lead_results(result)) == 1:
        return f"{whose}."
    return (
        f"{whose}: the cheapest budget that was held and came within {write.quality(CLOSE_QUALITY)} of the best fixed "
        "model or, where none did, the one with the highest quality."
    )


def _cards(one: PolicyResult, result: SimulationResult) -> tuple[Card, ...]:
    mean, low, high = mean_ci95(one.quality)
    cost = float(one.cost_usd.mean())
    seeds = f"95% interval {write.interval(low, high)}" if one.quality.size > 1 else "one seed, no interval"
    return (
        Card("Quality", write.quality(mean), seeds),
        Card("Spend per request", write.money(cost), _spend_context(one)),
        *_beside_best(cost, result),
        _beside_mix(one, result.envelope.at(cost)),
    )


def _beside_mix(one: PolicyResult, mix: float) -> Card:
    closed = gap_closed(one)
    gap = f"; {write.percent(closed)} of the gap to the oracle closed" if closed > 0 else ""
    change = write.quality_change(printed_change(float(one.quality.mean()), mix))
    return Card("Quality over a fixed mix", change, f"which gets {write.quality(mix)} at the same spend{gap}")


def _spend_context(one: PolicyResult) -> str:
    if one.utilisation is None:
        return "no budget"
    used, most = write.ratio(float(one.utilisation.mean())), write.ratio(float(one.utilisation.max()))
    return f"{used} of the budget, worst seed {most}" if one.quality.size > 1 else f"{used} of the budget"


def _beside_best(cost_usd: float, result: SimulationResult) -> list[Card]:
    best = best_fixed(result)
    if best is None or best[1].cost_usd <= 0:
        return []
    name, model = best
    context = f"of always calling {name}, which gets {write.quality(model.quality)}"
    return [Card("Cost beside the best model", write.percent(cost_usd / model.cost_usd), context)]


def _chart(result: SimulationResult) -> Chart:
    policies = dict.fromkeys(one.policy for one in (*lead_results(result), *result.results))
    series = tuple(_series(policy, result) for policy in policies)
    points = tuple(Point(name, one.cost_usd, one.quality) for name, one in result.fixed.items())
    curves = (
        Curve("best fixed mix (envelope)", result.envelope.cost_usd, result.envelope.quality),
        Curve("oracle", result.oracle.cost_usd, result.oracle.quality),
    )
    draw = CostQuality(series, curves, points)
    return Chart(
        name="quality-spend",
        title="Quality and spend of every policy",
        description=_description(series, result),
        caption="Up and to the left is better. A policy earns its place above the solid line, which needs no learning; "
        f"the dotted line knows every outcome in advance.{_bars(result)}{_cut(draw)}",
        draw=draw,
        data=_data(result),
    )


def _bars(result: SimulationResult) -> str:
    return " Bars are 95% intervals over seeds." if any(one.quality.size > 1 for one in result.results) else ""


def _cut(draw: CostQuality) -> str:
    names = [f"{point.label} ({write.quality(point.quality)})" for point in draw.cut()]
    return f" Too far below to be shown: {write.listing(names)}." if names else ""


def _series(policy: str, result: SimulationResult) -> Series:
    chosen = sorted((one for one in result.results if one.policy == policy), key=budget_order)
    ends = np.array([mean_ci95(one.quality) for one in chosen])
    return Series(policy, np.array([one.cost_usd.mean() for one in chosen]), *ends.T)


def _description(series: tuple[Series, ...], result: SimulationResult) -> str:
    ranges = [
        f"{one.label} goes from {write.quality(one.quality[0])} at {write.money(one.cost_usd[0])} "
        f"to {write.quality(one.quality[-1])} at {write.money(one.cost_usd[-1])}"
        if one.quality.size > 1
        else f"{one.label} gets {write.quality(one.quality[0])} at {write.money(one.cost_usd[0])}"
        for one in series
    ]
    best = best_fixed(result)
    alone = (
        f" The best model alone, {best[0]}, gets {write.quality(best[1].quality)} at {write.money(best[1].cost_usd)}."
        if best
        else ""
    )
    return f"Mean quality against mean dollars per request. {'; '.join(ranges)}.{alone}"


def _data(result: SimulationResult) -> Table:
    """One row per policy and budget, then one per fixed model."""
    intervals = [mean_ci95(one.quality) for one in result.results]
    alone = [(name, one) for name, one in result.fixed.items()]
    names = [one.policy for one in result.results] + [f"always {name}" for name, _ in alone]
    budgets = [one.budget_usd for one in result.results] + [None] * len(alone)
    costs = [float(one.cost_usd.mean()) for one in result.results] + [one.cost_usd for _, one in alone]
    means = [mean for mean, _, _ in intervals] + [one.quality for _, one in alone]
    nothing = [math.nan] * len(alone)
    return Table(
        name="quality-spend-data",
        caption="Every point in the chart; a model alone has no budget and no interval.",
        columns=(
            columns.words("policy", "Policy", names),
            columns.budgets(budgets),
            columns.money("cost_usd", "Cost per request", costs),
            columns.quality("quality", "Quality", means),
            columns.quality("quality_low", "95% low", [low for _, low, _ in intervals] + nothing),
            columns.quality("quality_high", "95% high", [high for _, _, high in intervals] + nothing),
        ),
        breaks=frozenset({len(result.results)} if alone else ()),
    )
