"""Which model serves which task class, and what was learned about the pairs beside what is true."""

import math

from banditroute.reports import columns
from banditroute.reports import format as write
from banditroute.reports.charts.edges import EdgeMap, Spot
from banditroute.reports.findings import by_cost, lead_results, telling_result
from banditroute.reports.parts import Cell, Chart, Column, Fold, Section, Table, breaks
from banditroute.reports.sections.simulation.over_time import top_shares
from banditroute.simulation.results import Edge, PolicyResult, SimulationResult

_LEARNED = "what it had learned of quality and cost by the end of the stream, beside the means over the whole table."
_TRUE = "the means of quality and cost over the whole table."


def edges_section(result: SimulationResult) -> Section | None:
    """The section: per budget a shaded table of shares and a cost-quality map; None without any edges."""
    lead = [one for one in lead_results(result) if one.edges]
    if not lead:
        return None
    titles = write.budget_names([one.budget_usd for one in lead])
    opened = telling_result(result)
    folds = tuple(
        Fold(_label(title, one, result), _blocks(n, one, result), opened=one is opened or len(lead) == 1)
        for n, (title, one) in enumerate(zip(titles, lead, strict=True))
    )
    intro = (
        f"An edge is a pair of task class and model. For each budget: where {lead[0].policy} sent each class, and "
        f"{_LEARNED if _learned(lead[0]) else _TRUE}"
    )
    return Section("edges", "Task classes and models", intro, folds)


def _label(title: str, one: PolicyResult, result: SimulationResult) -> str:
    where = "No budget" if one.budget_usd is None else f"{title} per request"
    return f"{where}: {top_shares(result.models, one.share)}"


def _blocks(position: int, one: PolicyResult, result: SimulationResult) -> tuple[Table, Chart]:
    models = tuple(result.models[k] for k in by_cost(result))
    return _grid(position, one, models), _map(position, one, models)


def _learned(one: PolicyResult) -> bool:
    return any(not math.isnan(edge.quality) for edge in one.edges)


def _grid(position: int, one: PolicyResult, models: tuple[str, ...]) -> Table:
    edges = {(edge.task, edge.model): edge for edge in one.edges}
    tasks = tuple(dict.fromkeys(edge.task for edge in one.edges))
    shares = [Column(model, model, tuple(_share_cell(edges.get((task, model))) for task in tasks)) for model in models]
    beneath = " Beneath: the quality learned, ± one standard deviation." if _learned(one) else ""
    return Table(
        name=f"edges-{position}",
        caption=f"Share of each class's requests by model, cheapest model first.{beneath}",
        columns=(columns.words("task", "Task class", tasks), *shares),
    )


def _share_cell(edge: Edge | None) -> Cell:
    if edge is None:
        return Cell(write.ABSENT, None)
    known = not math.isnan(edge.quality)
    detail = f"{write.quality(edge.quality)} ± {write.quality(edge.quality_sd)}" if known else ""
    return Cell(write.percent(edge.share), edge.share, shade=min(max(edge.share, 0.0), 1.0), detail=detail)


def _map(position: int, one: PolicyResult, models: tuple[str, ...]) -> Chart:
    ranks = {name: rank for rank, name in enumerate(models)}
    spots = tuple(_spot(edge, ranks[edge.model]) for edge in one.edges)
    how = (
        "A mark is where an edge was learned to be; its hairline ends where the edge truly is."
        if _learned(one)
        else "The policy learned nothing about edges, so hollow marks show where they truly are."
    )
    return Chart(
        name=f"edge-map-{position}",
        title="Cost and quality of the edges",
        description=f"Quality against cost of {len(spots)} pairs of task class and model. {how}",
        caption=f"{how} The larger the mark, the larger its share of the class; where there is room, classes are "
        "named at the model that serves half of them or more.",
        draw=EdgeMap(models, spots),
        data=_edge_table(position, one),
    )


def _spot(edge: Edge, rank: int) -> Spot:
    return Spot(edge.task, rank, edge.share, edge.cost_usd, edge.quality, edge.true_cost_usd, edge.true_quality)


def _edge_table(position: int, one: PolicyResult) -> Table:
    edges = one.edges
    costs = columns.money("", "", [edge.cost_usd for edge in edges] + [edge.true_cost_usd for edge in edges]).cells
    return Table(
        name=f"edge-map-{position}-data",
        caption="What was learned of every edge, beside the mean over the table.",
        columns=(
            columns.words("task", "Task class", [edge.task for edge in edges]),
            columns.words("model", "Model", [edge.model for edge in edges]),
            columns.numbers("share", "Share", [edge.share for edge in edges], write.percent),
            columns.quality("quality", "Quality, learned", [edge.quality for edge in edges]),
            columns.quality("quality_sd", "± sd", [edge.quality_sd for edge in edges]),
            columns.quality("true_quality", "Quality, true", [edge.true_quality for edge in edges]),
            Column("cost_usd", "Cost, learned", costs[: len(edges)]),
            Column("true_cost_usd", "Cost, true", costs[len(edges) :]),
        ),
        breaks=breaks([edge.task for edge in edges]),
    )
