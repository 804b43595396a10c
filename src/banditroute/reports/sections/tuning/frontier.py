"""What each budget buys: the learned cost-quality frontier between the best fixed mix and perfect foresight."""

import numpy as np

from banditroute.reports import columns
from banditroute.reports import format as write
from banditroute.reports.charts.cost_quality import Choice, CostQuality, Curve, Series
from banditroute.reports.parts import Chart, Section, Table
from banditroute.reports.sections.tuning.answers import more_buys
from banditroute.tuning.results import FrontierPoint, Recommendation, Tuning

_MOST_CHOICES = 3


def frontier_section(result: Tuning) -> Section | None:
    """The section: the curve with its band, and a row per budget; None without points."""
    if not result.frontier:
        return None
    intro = (
        "Quality grows with dollars, but ever more slowly. Where the curve is steep another dollar is well spent; "
        "where it is flat, it is not."
    )
    return Section("frontier", "What each budget buys", intro, (_chart(result), _models(result)))


def _chart(result: Tuning) -> Chart:
    points = result.frontier
    series = Series(
        "learned policy, 90% band",
        np.array([point.cost_usd for point in points]),
        np.array([point.quality for point in points]),
        np.array([point.quality_ci90.low for point in points]),
        np.array([point.quality_ci90.high for point in points]),
        band=True,
    )
    choices = tuple(map(_choice, result.recommendations[:_MOST_CHOICES]))
    return Chart(
        name="frontier-chart",
        title="Quality against dollars",
        description=_description(points, result),
        caption=_caption(result),
        draw=CostQuality((series,), _curves(result), choices=choices),
        data=_data(points),
    )


def _curves(result: Tuning) -> tuple[Curve, ...]:
    named = (("best fixed mix (envelope)", result.envelope), ("oracle", result.oracle))
    return tuple(Curve(name, each.cost_usd, each.quality) for name, each in named if each is not None)


def _choice(each: Recommendation) -> Choice:
    budget = each.point.budget_usd
    low, high = (budget, budget) if each.target is None else each.target.ci90
    return Choice(f"for a {each.question}", budget, low, high)


def _caption(result: Tuning) -> str:
    framed = (
        " The solid black line is the best fixed mix of models, which needs no learning; the dotted one knows every "
        "outcome in advance."
        if result.envelope is not None
        else ""
    )
    marked = " Dashed: the budgets recommended, shaded where the right one may lie." if result.recommendations else ""
    return f"Up and to the left is better.{framed}{marked}"


def _description(points: tuple[FrontierPoint, ...], result: Tuning) -> str:
    curve = "; ".join(f"{write.quality(point.quality)} at {write.money(point.budget_usd)}" for point in points)
    marked = "".join(
        f" For a {each.question}: {write.money(each.point.budget_usd)} per request." for each in result.recommendations
    )
    return f"Quality of the learned policy by budget per request: {curve}.{marked}"


def _data(points: tuple[FrontierPoint, ...]) -> Table:
    return Table(
        name="frontier-chart-data",
        caption="Every point of the curve.",
        columns=(
            columns.budgets([point.budget_usd for point in points]),
            columns.money("cost_usd", "Spent per request", [point.cost_usd for point in points], digits=3),
            columns.quality("quality", "Quality", [point.quality for point in points]),
            columns.quality("quality_low", "90% low", [point.quality_ci90.low for point in points]),
            columns.quality("quality_high", "90% high", [point.quality_ci90.high for point in points]),
            columns.numbers("quality_per_usd", "Quality per dollar", [p.quality_per_usd for p in points], _slope),
        ),
    )


def _models(result: Tuning) -> Table:
    points = result.frontier
    shares = (
        columns.shares(f"share_{model}", model, [point.share.get(model, 0.0) for point in points])
        for model in result.models
    )
    ends = [point.quality_ci90 for point in points]
    return Table(
        name="frontier-table",
        caption="What each budget buys, with 90% intervals beneath; used: spend over budget in the worst order. "
        "Shaded: each model's share of requests.",
        columns=(
            columns.budgets([point.budget_usd for point in points]),
            columns.estimates("quality", "Quality", [point.quality for point in points], ends, write.quality),
            columns.numbers("more_buys", "10% more buys", [more_buys(point) for point in points], _fine_change),
            columns.numbers("worst_utilisation", "Used", [point.worst_utilisation for point in points], write.ratio),
            *shares,
        ),
    )


def _fine_change(value: float) -> str:
    """A small difference of qualities, with a digit more than usual."""
    return write.quality_change(value, decimals=4)


def _slope(value: float) -> str:
    return f"{value:,.1f}" if abs(value) < 100 else f"{value:,.0f}"
