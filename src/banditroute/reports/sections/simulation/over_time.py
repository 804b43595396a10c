"""How the leading policy went over the stream: spend beside the budget, and which model served."""

import numpy as np
from numpy.typing import NDArray

from banditroute.reports import columns
from banditroute.reports import format as write
from banditroute.reports.charts.bands import Band, Bands
from banditroute.reports.charts.shares import Shares, Stack
from banditroute.reports.findings import by_cost, lead_results
from banditroute.reports.parts import Chart, Note, Section, Table, breaks
from banditroute.simulation.results import Floats, PolicyResult, SimulationResult


def spend_section(result: SimulationResult) -> Section:
    """The section: spend so far over budget so far, a panel per budget."""
    lead = lead_results(result)
    budgeted = [one for one in lead if one.mean_budget_usd is not None]
    title = "Spend over time"
    if not budgeted:
        return Section("spend", title, "", (Note("No budget was set, so there is none to hold."),))
    intro = (
        f"Dollars that {lead[0].policy} has spent so far, as a share of the budget for so many requests. "
        "A policy that paces its spend settles at or just under 100%."
    )
    budgets_usd = [one.budget_usd for one in budgeted]
    bands = tuple(_band(*each) for each in zip(write.budget_names(budgets_usd), budgeted, strict=True))
    data = _spend_data(bands, budgets_usd)
    return Section("spend", title, intro, (_spend_chart(Bands(bands, _events(lead)), data),))


def _band(title: str, one: PolicyResult) -> Band:
    seen = one.trace.requests > 0
    requests = one.trace.requests[seen]
    return Band(title, requests, one.trace.spend_usd[:, seen] / _allowed_usd(one, requests))


def _allowed_usd(one: PolicyResult, requests: NDArray[np.int64]) -> Floats:
    """The budget of so many requests (T,), which events may change from stretch to stretch."""
    parts = [
        phase.budget_usd * np.clip(requests - phase.first, 0, phase.last - phase.first)
        for phase in one.phases
        if phase.budget_usd is not None
    ]
    return np.sum(parts, axis=0)


def _spend_chart(draw: Bands, data: Table) -> Chart:
    ends = "; ".join(f"at {band.title} {write.ratio(float(band.ratio[:, -1].mean()))}" for band in draw.bands)
    return Chart(
        name="spend-over-time",
        title="Spend so far beside the budget, per request",
        description=f"Spend divided by budget over the stream, one panel per budget. Means at the end: {ends}.",
        caption="The number at the right is the share at the end."
        + (" What leaves the scale is cut off." if draw.cut() else "")
        + (" Dotted verticals are events." if draw.events else ""),
        draw=draw,
        data=data,
    )


def _spend_data(bands: tuple[Band, ...], budgets_usd: list[float | None]) -> Table:
    rows = [(n, t) for n, band in enumerate(bands) for t in range(band.requests.size)]
    ratios = [bands[n].ratio[:, t] for n, t in rows]
    return Table(
        name="spend-over-time-data",
        caption="Spend so far over budget so far.",
        columns=(
            columns.budgets([budgets_usd[n] for n, _ in rows]),
            columns.counts("requests", "Requests", [int(bands[n].requests[t]) for n, t in rows]),
            columns.numbers("mean", "Mean", [float(part.mean()) for part in ratios], write.ratio),
            columns.numbers("min", "Lowest seed", [float(part.min()) for part in ratios], write.ratio),
            columns.numbers("max", "Highest seed", [float(part.max()) for part in ratios], write.ratio),
        ),
        breaks=breaks([n for n, _ in rows]),
    )


def shares_section(result: SimulationResult) -> Section:
    """The section: each model's share of the stream, a panel per budget."""
    lead = lead_results(result)
    order = list(by_cost(result))
    titles = write.budget_names([one.budget_usd for one in lead])
    models = tuple(result.models[k] for k in order)
    stacks = tuple(
        Stack(title, one.trace.requests, one.trace.share[:, order]) for title, one in zip(titles, lead, strict=True)
    )
    ends = "; ".join(
        f"{stack.title}: {top_shares(models, one.share[order])}" for stack, one in zip(stacks, lead, strict=True)
    )
    chart = Chart(
        name="model-share",
        title="Share of requests by model",
        description=f"Stacked shares over the stream, one panel per budget. Over the whole stream: {ends}.",
        caption="Stacked from the cheapest model at the bottom to the dearest at the top; means over seeds.",
        draw=Shares(models, stacks, _events(lead)),
        data=_share_data(models, stacks, [one.budget_usd for one in lead]),
    )
    return Section("models", "Who serves", f"Which models {lead[0].policy} chose as the stream went by.", (chart,))


def _share_data(models: tuple[str, ...], stacks: tuple[Stack, ...], budgets_usd: list[float | None]) -> Table:
    rows = [(n, t) for n, stack in enumerate(stacks) for t in range(stack.ends.size)]
    shares = [
        columns.numbers(name, name, [float(stacks[n].share[t, k]) for n, t in rows], write.percent)
        for k, name in enumerate(models)
    ]
    return Table(
        name="model-share-data",
        caption="Each model's share of the stretch that ends at so many requests.",
        columns=(
            columns.budgets([budgets_usd[n] for n, _ in rows]),
            columns.counts("requests", "Requests", [int(stacks[n].ends[t]) for n, t in rows]),
            *shares,
        ),
        breaks=breaks([n for n, _ in rows]),
    )


def top_shares(models: tuple[str, ...], share: np.ndarray, most: int = 3) -> str:
    """The models with the largest shares (K,), as "a 71%, b 20%, c 9%"."""
    largest = [k for k in np.argsort(-share, kind="stable")[:most] if share[k] >= 0.005]
    return ", ".join(f"{models[k]} {write.percent(float(share[k]))}" for k in largest)


def _events(lead: tuple[PolicyResult, ...]) -> tuple[int, ...]:
    return tuple(phase.first for phase in lead[0].phases[1:])
