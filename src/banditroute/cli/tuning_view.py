"""What tuning found, in words and tables that fit 80 columns: what to do first."""

from collections.abc import Iterator
from pathlib import Path
from textwrap import fill, indent

from rich.console import Console
from rich.table import Table
from rich.text import Text

from banditroute.cli.tables import add_figures, add_names, plain_console, printable, titled_table
from banditroute.reports import format as form
from banditroute.tuning.results import FrontierPoint, Recommendation, TaskSplit, Tuning

_LEAST_WIDTH = 80
_INDENT = "  "
_MOST_MODELS = 2  # named beside a task class; the others are few requests
_PER_THOUSAND = 1000.0
_POINTS = 100.0


def print_tuning(found: Tuning, report: Path | None) -> None:
    """Prints the answers, what each budget buys, where the dollars go, and what they come to a month."""
    console = plain_console()
    console.width = max(console.width, _LEAST_WIDTH)  # a narrower terminal folds lines itself, and loses nothing
    console.print(_title(found), soft_wrap=True)
    for target in found.targets:
        if target.sentence:
            console.print(f"\n{fill(target.sentence, console.width)}", style="bold", soft_wrap=True)
    for each in found.recommendations:
        _print_answer(each, console)
    for heading, table in _tables(found):
        console.print(f"\n{heading}", style="bold", soft_wrap=True)
        console.print(table)
    _print_closing(found, report, console)


def _title(found: Tuning) -> str:
    orders = f", {form.plural(found.seeds, 'order')}" if found.kind == "table" else ""
    warmup = f", after {printable(found.warmup)}" if found.warmup else ""
    budgets = form.plural(len(found.frontier), "budget")
    return f"{printable(found.source)}: {form.plural(found.requests, 'request')}{orders}{warmup}, {budgets} tried"


def _print_answer(each: Recommendation, console: Console) -> None:
    console.print(f"\nFor a {each.question}", style="bold", soft_wrap=True)
    words = fill(" ".join(each.sentences), console.width - len(_INDENT), break_on_hyphens=False)
    console.print(indent(words, _INDENT))
    console.print(f"\n{indent(each.config_lines.rstrip(), _INDENT * 2)}", soft_wrap=True)


def _tables(found: Tuning) -> Iterator[tuple[str, Table]]:
    """Each table under its heading, which may be wider than the table."""
    yield "What each budget buys (> recommended, or asked about)", _frontier_table(found)
    for each in found.recommendations:
        if each.tasks:
            yield f"Where the dollars go, for a {each.question}", _tasks_table(each.tasks)
    if found.traffic:
        yield "Dollars a month, by requests a day", _traffic_table(found)


def _frontier_table(found: Tuning) -> Table:
    table = titled_table("")
    add_figures(
        table, "", "\nbudget", "\nquality", "\n90%", "\nspent", "of budget\nat most", "+$1 per 1,000\nbuys points"
    )
    for point in found.frontier:
        table.add_row(_mark(found, point), *_frontier_figures(point))
    return table


def _budget(point: FrontierPoint) -> str:
    """With three figures, as the sentences have it."""
    return form.money(point.budget_usd, 3)


def _mark(found: Tuning, point: FrontierPoint) -> str:
    return ">" if any(each.point.budget_usd == point.budget_usd for each in found.recommendations) else ""


def _frontier_figures(point: FrontierPoint) -> tuple[str, ...]:
    return (
        _budget(point),
        form.quality(point.quality),
        form.interval(*point.quality_ci90),
        form.money(point.cost_usd, 3),
        form.ratio(point.worst_utilisation),
        f"{_POINTS * point.quality_per_usd / _PER_THOUSAND:,.2f}",
    )


def _tasks_table(tasks: tuple[TaskSplit, ...]) -> Table:
    table = titled_table("")
    add_names(table, "task")
    add_figures(table, "requests", "dollars", "$/request", "quality")
    add_names(table, "mostly")
    for task in tasks:
        shares = form.percent(task.requests_share), form.percent(task.dollars_share)
        means = form.money(task.usd_per_request), form.quality(task.quality)
        table.add_row(Text(printable(task.task) or "(no class)"), *shares, *means, Text(_mostly(task)))
    return table


def _mostly(task: TaskSplit) -> str:
    """The models that get most of a class, with their shares."""
    most = sorted(task.share.items(), key=lambda item: -item[1])[:_MOST_MODELS]
    return ", ".join(f"{printable(model)} {form.percent(share)}" for model, share in most if share > 0)


def _traffic_table(found: Tuning) -> Table:
    """Each budget that was recommended or asked about, and the two ends of what was tried."""
    table = titled_table("")
    add_figures(table, "", "budget", "quality", *(f"{each.requests_per_day:,.0f}" for each in found.traffic))
    last = len(found.frontier) - 1
    for i, point in enumerate(found.frontier):
        mark = _mark(found, point)
        if mark or i in (0, last):
            months = (f"${each.usd_per_month[i]:,.0f}" for each in found.traffic)
            table.add_row(mark, _budget(point), form.quality(point.quality), *months)
    return table


def _print_closing(found: Tuning, report: Path | None, console: Console) -> None:
    if found.notes or report is not None:
        console.print()
    for note in found.notes:
        console.print(fill(f"note: {printable(note)}", console.width, break_on_hyphens=False))
    if report is not None:
        console.print(f"report: {report}", soft_wrap=True)
