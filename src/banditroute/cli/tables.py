"""A simulation's result as tables that fit 80 columns; no figure is ever cut."""

import math
import os
from collections.abc import Sequence
from textwrap import fill

import numpy as np
from rich.console import Console
from rich.table import Table
from rich.text import Text

from banditroute.reports import format as form
from banditroute.reports.findings import gap_closed
from banditroute.simulation.results import Phase, PolicyResult, Sighting, SimulationResult, mean_ci95

_NAME_WIDTH = 12  # the least for a policy or a model, in columns; longer names go on over several lines
_FIGURES_WIDTH = 68  # of all that stands beside a policy's name
_WITHOUT_END = 10_000  # columns
_LEAST_WIDTH = 80
_BESIDE_SHARES = 40  # of all that stands beside the models' shares


def plain_console() -> Console:
    """A console on standard output that prints text as it is: no markup, no emoji, colour on terminals only."""
    return Console(markup=False, highlight=False, emoji=False)


def listing_console() -> Console:
    """The same for lists that are searched: into a pipe, unless COLUMNS says how wide it is, no line is folded."""
    console = plain_console()
    if not console.is_terminal and "COLUMNS" not in os.environ:
        console.width = _WITHOUT_END
    console.width = max(console.width, _LEAST_WIDTH)  # a narrower terminal folds lines itself, and loses nothing
    return console


def printable(text: str) -> str:
    """Somebody else's text with ? for every sign that could move a terminal's cursor or colours."""
    return "".join(sign if sign.isprintable() else "?" for sign in text)


def print_simulation(result: SimulationResult, console: Console) -> None:
    """Prints what was replayed, what each model alone gets, what each policy got and where its requests went."""
    budgets = form.budget_names([each.budget_usd for each in result.results])
    console.print(_title(result))
    for table in (
        _fixed_table(result),
        _policy_table(result, budgets, console.width),
        _share_table(result, budgets, console.width),
        *_phase_tables(result, console.width),
        *_sighting_tables(result),
        *_window_tables(result),
        *_lateness_tables(result),
    ):
        console.print()
        console.print(table)
    if result.notes:
        console.print()
    for note in result.notes:
        console.print(f"note: {note}")


def _title(result: SimulationResult) -> str:
    orders = len(result.results[0].seeds) if result.results else 0
    after = f", after {result.warmup}" if result.warmup else ""
    under = f", under {result.scenario}" if result.scenario else ""
    return f"{result.table}: {form.count(result.requests)} requests in {orders} orders{after}{under}"


def titled_table(title: str) -> Table:
    """A table without lines under a title."""
    return Table(box=None, title=title, title_justify="left", title_style="bold", padding=(0, 2, 0, 0), pad_edge=False)


def add_names(table: Table, heading: str) -> None:
    """Adds a column of names, which fold where room is short."""
    table.add_column(heading, overflow="fold", header_style="dim")


def add_figures(table: Table, *headings: str) -> None:
    """Adds columns of figures, which never break."""
    for heading in headings:
        table.add_column(heading, justify="right", no_wrap=True, overflow="fold", header_style="dim")


def _fixed_table(result: SimulationResult) -> Table:
    table = titled_table("Always one model")
    add_names(table, "model")
    add_figures(table, "quality", "$/request", "rows")
    for name, fixed in result.fixed.items():
        table.add_row(Text(name), form.quality(fixed.quality), form.money(fixed.cost_usd), form.count(fixed.rows))
    return table


def _policy_table(result: SimulationResult, budgets: tuple[str, ...], width: int) -> Table:
    table = titled_table("Routed")
    room = max(_NAME_WIDTH, width - _FIGURES_WIDTH)
    add_names(table, "\npolicy")
    add_figures(
        table,
        "\nbudget",
        "quality\n± 95%",
        "\n$/request",
        "of budget\nmean   max",
        "best\nmix",
        "\noracle",
        "gap\nclosed",
    )
    for each, budget in zip(result.results, budgets, strict=True):
        table.add_row(Text(fill(each.policy, room)), budget, *_policy_figures(each))
    return table


def _policy_figures(result: PolicyResult) -> tuple[str, ...]:
    mean, low, high = mean_ci95(result.quality)
    spent = result.utilisation
    return (
        f"{form.quality(mean)} ±{form.quality((high - low) / 2)}",
        form.money(float(result.cost_usd.mean())),
        form.ABSENT if spent is None else f"{spent.mean():.0%} {spent.max():5.0%}",
        form.quality(result.envelope_quality),
        form.quality(result.oracle_quality),
        form.percent(gap_closed(result)),
    )


def _share_table(result: SimulationResult, budgets: tuple[str, ...], width: int) -> Table:
    """Shares of the models used most, as many as the width has room for, and of all others in one sum."""
    shares = np.stack([each.share for each in result.results])
    room = max(3, (width - _BESIDE_SHARES) // (_NAME_WIDTH + 2))
    shown: list[int] = np.sort(np.argsort(-shares.sum(axis=0), kind="stable")[:room]).tolist()
    others = ["others"] if len(shown) < len(result.models) else []
    table = titled_table("Where requests went")
    add_names(table, "policy")
    add_figures(table, "budget", *(fill(result.models[k], _NAME_WIDTH) for k in shown), *others)
    for each, budget, share in zip(result.results, budgets, shares, strict=True):
        rest = [form.percent(1 - share[shown].sum())] if others else []
        table.add_row(Text(each.policy), budget, *map(form.percent, share[shown]), *rest)
    return table


def _phase_tables(result: SimulationResult, width: int) -> tuple[Table, ...]:
    """Each policy before, between and after the events of a scenario; no table where there are none."""
    if all(len(each.phases) < 2 for each in result.results):
        return ()
    table = titled_table("Before and after each event")
    room = max(_NAME_WIDTH, width - _FIGURES_WIDTH)
    add_names(table, "\npolicy")
    add_figures(table, "\nbudget", "\nfrom", "\nto", "quality\n± 95%", "\n$/request", "of budget\nmean   max")
    rows = [(each, phase) for each in result.results for phase in each.phases]
    budgets = form.budget_names([phase.budget_usd for _, phase in rows])
    for (each, phase), budget in zip(rows, budgets, strict=True):
        table.add_row(Text(fill(each.policy, room)), budget, *_phase_figures(phase))
    return (table,)


def _sighting_tables(result: SimulationResult) -> tuple[Table, ...]:
    """The changes that policies noticed while events were going on; no table where nothing was to be noticed."""
    if all(len(each.phases) < 2 for each in result.results):
        return ()
    table = titled_table("Changes noticed, first of their kind")
    for heading in ("policy", "model", "what"):
        add_names(table, f"\n{heading}")
    add_figures(table, "\nbudget", "noticed in\norders", "median\nrequest", "\nby")
    budgets = form.budget_names([each.budget_usd for each in result.results])
    for each, budget in zip(result.results, budgets, strict=True):
        for (model, what), first in _firsts(each.sightings).items():
            by = _by(first)
            when = form.count(round(float(np.median([sighting.request for sighting in first]))))
            orders = f"{len(first)} of {len(each.seeds)}"
            table.add_row(Text(each.policy), Text(model), what, budget, orders, when, by)
    return (table,) if table.row_count else ()


def _firsts(sightings: Sequence[Sighting]) -> dict[tuple[str, str], list[Sighting]]:
    """The first sighting of each model, signal and direction in each order, the warm-up's left out."""
    found: dict[tuple[str, str], dict[int, Sighting]] = {}
    for each in sightings:
        name = "quality" if each.signal == "quality" else "dollars"
        what = f"{name} {'up' if each.shift > 0 else 'down'}{f' in {each.task}' if each.task else ''}"
        if each.request >= 0:
            found.setdefault((each.model, what), {}).setdefault(each.seed, each)
    return {key: list(by_seed.values()) for key, by_seed in sorted(found.items())}


def _by(first: Sequence[Sighting]) -> str:
    """The median shift: quality points, or the factor of dollars."""
    shift = float(np.median([sighting.shift for sighting in first]))
    return form.quality_change(shift) if first[0].signal == "quality" else f"x {math.exp(shift):.2g}"


def _window_tables(result: SimulationResult) -> tuple[Table, ...]:
    """Each cap at the end of each of its windows; no table where there are none."""
    if not any(each.windows for each in result.results):
        return ()
    table = titled_table("Caps at the end of their windows")
    for heading in ("cap", "window"):
        add_names(table, f"\n{heading}")
    add_figures(table, "\nbudget", "\nallowed", "\nspent", "of allowed\nmean   max")
    budgets = form.budget_names([each.budget_usd for each in result.results])
    for each, budget in zip(result.results, budgets, strict=True):
        for window in each.windows:
            dollars = map(form.money, (float(window.allowed_usd.mean()), float(window.spent_usd.mean())))
            share = f"{form.percent(float(window.share.mean()))}  {form.percent(float(window.share.max()))}"
            table.add_row(Text(window.budget), Text(window.period), budget, *dollars, share)
    return (table,)


def _lateness_tables(result: SimulationResult) -> tuple[Table, ...]:
    """How a promise of latency was kept, and what that cost; no table where there is none."""
    kept = [(each.lateness, each.budget_usd) for each in result.results if each.lateness is not None]
    if not kept:
        return ()
    table = titled_table("Promise of latency")
    add_figures(table, "\nbudget", "\nlimit", "\nmay be late", "late\nmean   max", "quality\ngiven up")
    for (each, _), budget in zip(kept, form.budget_names([budget for _, budget in kept]), strict=True):
        late = f"{each.late.mean():.1%}  {each.late.max():.1%}"
        allowed, given_up = form.percent(each.epsilon), form.quality(float(each.given_up.mean()))
        table.add_row(budget, f"{each.latency_s:.3g} s", allowed, late, given_up)
    return (table,)


def _phase_figures(phase: Phase) -> tuple[str, ...]:
    mean, low, high = mean_ci95(phase.quality)
    spent = phase.utilisation
    return (
        form.count(phase.first),
        form.count(phase.last),
        f"{form.quality(mean)} ±{form.quality((high - low) / 2)}",
        form.money(float(phase.cost_usd.mean())),
        form.ABSENT if spent is None else f"{spent.mean():.0%} {spent.max():5.0%}",
    )
