"""What is learned of every pair of task class and model, beside where the answers came from."""

import math
from collections.abc import Mapping

from banditroute.reports import columns
from banditroute.reports import format as write
from banditroute.reports.charts.edges import EdgeMap, Spot
from banditroute.reports.parts import Block, Cell, Chart, Column, Section, Table, breaks
from banditroute.reports.store.live import LiveStore
from banditroute.routing.insight import EdgeBelief


def beliefs_section(live: LiveStore) -> Section | None:
    """The section: a shaded table of shares and beliefs, and a cost-quality map; None where nothing is learned."""
    if not live.edges:
        return None
    intro = (
        "An edge is a pair of task class and model. Beliefs are of a prompt like the newest, of "
        f"{write.count(live.prompt.input_tokens)} tokens; where no answer was judged, they are prior."
    )
    models = _by_cost(live.edges)
    judged = [edge for edge in live.edges if edge.judged]
    chart: tuple[Block, ...] = (_map(live, models, judged),) if judged else ()
    return Section("edges", "Task classes and models", intro, (_grid(live, models), *chart))


def _by_cost(edges: tuple[EdgeBelief, ...]) -> tuple[str, ...]:
    """Models from cheap to dear by what they are believed to cost over all classes."""
    costs: dict[str, float] = {}
    for edge in edges:
        costs[edge.model] = costs.get(edge.model, 0.0) + edge.cost_usd
    return tuple(sorted(costs, key=lambda model: (costs[model], model)))


def _share(shares: Mapping[str, Mapping[str, int]], edge: EdgeBelief) -> float:
    """The share of the class's answers that the model gave; nan where the class has none."""
    counts = shares.get(edge.task, {})
    total = sum(counts.values())
    return counts.get(edge.model, 0) / total if total else math.nan


def _grid(live: LiveStore, models: tuple[str, ...]) -> Table:
    edges = {(edge.task, edge.model): edge for edge in live.edges}
    tasks = tuple(dict.fromkeys(edge.task for edge in live.edges))
    shares = live.history.shares
    return Table(
        name="edges-table",
        caption="Share of each class's answers by model, cheapest model first. Beneath: the quality believed, with its "
        "95% interval.",
        columns=(
            columns.words("task", "Task class", tasks),
            *(Column(name, name, tuple(_cell(edges.get((task, name)), shares) for task in tasks)) for name in models),
        ),
    )


def _cell(edge: EdgeBelief | None, shares: Mapping[str, Mapping[str, int]]) -> Cell:
    if edge is None:
        return Cell(write.ABSENT, None)
    share, detail = _share(shares, edge), f"{write.quality(edge.quality)}, {write.interval(edge.low, edge.high)}"
    if math.isnan(share):
        return Cell(write.ABSENT, None, detail=detail)
    return Cell(write.percent(share), share, shade=share, detail=detail)


def _map(live: LiveStore, models: tuple[str, ...], judged: list[EdgeBelief]) -> Chart:
    ranks = {name: rank for rank, name in enumerate(models)}
    shares = live.history.shares
    spots = tuple(
        Spot(
            edge.task, ranks[edge.model], _known(_share(shares, edge)), edge.cost_usd, edge.quality, math.nan, math.nan
        )
        for edge in judged
    )
    return Chart(
        name="edge-map",
        title="Cost and quality of the edges",
        description=f"Believed quality against believed cost of {len(spots)} pairs of task class and model.",
        caption="Only edges with judgements. The larger the mark, the larger its share of the class; where there is "
        "room, classes are named at the model that serves half of them or more.",
        draw=EdgeMap(models, spots),
        data=_edges(live),
    )


def _known(share: float) -> float:
    return 0.0 if math.isnan(share) else share


def _edges(live: LiveStore) -> Table:
    edges = live.edges
    return Table(
        name="edge-map-data",
        caption="What is believed of every edge.",
        columns=(
            columns.words("task", "Task class", [edge.task for edge in edges]),
            columns.words("model", "Model", [edge.model for edge in edges]),
            columns.numbers("share", "Share", [_share(live.history.shares, edge) for edge in edges], write.percent),
            columns.quality("quality", "Quality", [edge.quality for edge in edges]),
            columns.quality("low", "95% low", [edge.low for edge in edges]),
            columns.quality("high", "95% high", [edge.high for edge in edges]),
            columns.money("cost_usd", "Dollars", [edge.cost_usd for edge in edges]),
            columns.numbers("latency_s", "Seconds", [edge.latency_s for edge in edges], write.seconds),
            columns.counts("judged", "Judged", [edge.judged for edge in edges]),
            columns.counts("answered", "Answered", [edge.answered for edge in edges]),
        ),
        breaks=breaks([edge.task for edge in edges]),
    )
