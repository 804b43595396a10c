"""The live picture of the demo, for a terminal."""

from __future__ import annotations

import math

from rich.console import Group, RenderableType
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from banditroute.cli.live.tally import Result, Tally
from banditroute.reports import format as form

_BAR = 24
_MILLI = 1e3


def picture(tally: Tally, elapsed_s: float) -> RenderableType:
    """Everything worth seeing at this moment, 22 lines of 80 columns for nine task classes."""
    return Group(
        _progress(tally, elapsed_s),
        _beside(tally),
        Text(),
        _shares(tally),
        Text(),
        _tasks(tally),
        Text(footnote(tally), style="dim"),
    )


def footnote(tally: Tally) -> str:
    """The small figures in one line: what waits for feedback, the budget's price, the router's own time, failures."""
    parts = [f"{form.count(tally.judged)} judged, {form.count(tally.answered - tally.judged)} yet to be"]
    parts.append(f"shadow price {tally.shadow_price:.3f}")
    if not math.isnan(tally.overhead_s):
        parts.append(f"router adds {tally.overhead_s * _MILLI:.1f} ms")
    if tally.fallbacks:
        parts.append(f"{form.count(tally.fallbacks)} fell back")
    if tally.failed:
        parts.append(f"{form.count(tally.failed)} unanswered")
    return " · ".join(parts)


def _progress(tally: Tally, elapsed_s: float) -> RenderableType:
    done = tally.answered + tally.failed
    rate = done / elapsed_s if elapsed_s > 0 else 0.0
    line = _grid()
    line.add_row(
        Text(f"{form.count(done):>5} of {form.count(tally.total)} requests"),
        ProgressBar(tally.total, done, width=_BAR),
        Text(f"{rate:.0f} a second", style="dim"),
    )
    return line


def _beside(tally: Tally) -> RenderableType:
    table = _table("", "quality", "dollars", "$/request")
    count = tally.answered
    table.add_row(Text("routed", style="bold"), *_figures(tally.routed, count), style="bold")
    for model in dict.fromkeys((tally.best, tally.cheapest)):
        table.add_row(Text(f"always {model}"), *_figures(tally.alone(model), count))
    return Group(table, _budget(tally))


def _figures(result: Result, count: int) -> tuple[str, str, str]:
    each = result.cost_usd / count if count else math.nan
    return form.quality(result.quality), f"${result.cost_usd:,.2f}", form.money(each)


def _budget(tally: Tally) -> RenderableType:
    spent = tally.usd_per_request / tally.budget_usd
    line = _grid()
    line.add_row(
        Text(f"budget {form.money_names([tally.budget_usd])[0]} a request"),
        ProgressBar(1.0, 0.0 if math.isnan(spent) else min(spent, 1.0), width=_BAR),
        Text(f"{form.percent(spent)} of it spent"),
    )
    return line


def _shares(tally: Tally) -> RenderableType:
    table = _grid()
    for model in tally.models:
        share = tally.share(model)
        bar = ProgressBar(1.0, share, width=_BAR, complete_style="cyan", finished_style="cyan")
        table.add_row(Text(model), bar, Text(form.percent(share)))
    return table


def _tasks(tally: Tally) -> RenderableType:
    table = _table("task", "requests", "quality")
    table.add_column("goes to", header_style="dim", overflow="fold")
    for line in tally.tasks():
        figures = (form.count(line.requests), form.quality(line.quality))
        table.add_row(Text(line.task), *figures, Text(line.model))
    return table


def _grid() -> Table:
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(min_width=28)
    table.add_column(width=_BAR)
    table.add_column(justify="right")
    return table


def _table(first: str, *figures: str) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False)
    table.add_column(first, min_width=28, header_style="dim", overflow="fold")
    for heading in figures:
        table.add_column(heading, justify="right", no_wrap=True, header_style="dim")
    return table
