"""What an evaluation found, in words and tables that fit 80 columns: verdicts first."""

import math
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from textwrap import fill, indent

from rich.console import Console
from rich.table import Table
from rich.text import Text

from banditroute.cli.tables import add_figures, add_names, plain_console, printable, titled_table
from banditroute.evaluation.results import Estimate, Evaluation, Interval, Logged, Overlap, SetAside, Target, Value
from banditroute.evaluation.shadow import ShadowComparison
from banditroute.reports import format as form

_LEAST_WIDTH = 80
_INDENT = "  "

Words = Callable[[float], str]


def print_evaluation(found: Evaluation, shadows: Sequence[ShadowComparison], report: Path | None) -> None:
    """Prints the verdicts, what was logged, every estimate, and how far the log carries them."""
    console = plain_console()
    console.width = max(console.width, _LEAST_WIDTH)  # a narrower terminal folds lines itself, and loses nothing
    console.print(_title(found), soft_wrap=True)
    for name, words in _verdicts(found, shadows):
        console.print(f"\n{printable(name)}", style="bold", soft_wrap=True)
        console.print(indent(_filled(printable(words), console.width - len(_INDENT)), _INDENT))
    for heading, table in _tables(found, shadows):
        console.print(f"\n{heading}", style="bold", soft_wrap=True)
        console.print(table)
    _print_closing(found, report, console)


def _filled(words: str, width: int) -> str:
    """The words over several lines; no model's name is parted at its hyphens."""
    return fill(words, width, break_on_hyphens=False)


def _title(found: Evaluation) -> str:
    left = form.count(found.used)
    return f"{printable(found.log)}: {form.plural(found.rows, 'decision')}, {left} of them left to chance"


def _verdicts(found: Evaluation, shadows: Sequence[ShadowComparison]) -> Iterator[tuple[str, str]]:
    for target in found.targets:
        yield target.policy, target.verdict
    for shadow in shadows:
        yield f"shadow:{shadow.shadow}, beside what was done", shadow.verdict


def _tables(found: Evaluation, shadows: Sequence[ShadowComparison]) -> Iterator[tuple[str, Table]]:
    """Each table under its heading, which may be wider than the table."""
    yield "What was logged, measured", _logged_table(found.logged)
    for target in found.targets:
        worth = f"worth {target.ess:,.0f} of its own decisions, largest weight {target.max_weight:,.1f}"
        estimates = [each for each in found.estimates if each.policy == target.policy]
        yield f"{printable(target.policy)}: {worth}", _estimates_table(estimates)
    if shadows:
        yield "Shadows beside what was done; rates by what they expected", _shadow_table(shadows)
    if found.targets:
        yield "Overlap: what the log says of each choice", _overlap_table(found.targets)
    if found.set_aside:
        yield "Set aside", _set_aside_table(found.set_aside)


def _print_closing(found: Evaluation, report: Path | None, console: Console) -> None:
    if found.notes or report is not None:
        console.print()
    for note in found.notes:
        console.print(_filled(f"note: {printable(note)}", console.width))
    if report is not None:
        console.print(f"report: {report}", soft_wrap=True)


def _logged_table(logged: Sequence[Logged]) -> Table:
    table = titled_table("")
    add_names(table, "policy")
    add_figures(table, "decisions", "by chance", "judged", "quality", "$/request", "seconds")
    for each in logged:
        quality = form.ABSENT if each.quality is None else form.quality(each.quality[0])
        counts = map(form.count, (each.rows, each.drawn, each.judged))
        usd, latency = form.money(each.cost_usd[0]), form.seconds(each.latency_s[0])
        table.add_row(Text(printable(each.policy) or "(no name)"), *counts, quality, usd, latency)
    return table


def _estimates_table(estimates: Sequence[Estimate]) -> Table:
    table = titled_table("")
    table.padding = (0, 1, 0, 0)  # dollars of seven digits leave the names no more
    add_names(table, "")
    add_figures(table, "estimate", "95%, one look", "95%, every look", "gain")
    for heading, values, words, change in _signals(estimates):
        table.add_row(Text(heading, style="dim"))
        for estimator, value in values:
            table.add_row(f" {estimator}", *_figures(value, words, change))
    return table


def _signals(estimates: Sequence[Estimate]) -> Iterator[tuple[str, list[tuple[str, Value]], Words, Words]]:
    """Each signal: what it is called, its value by each estimator, how it is written, and how a change of it is."""
    judged = [(each.estimator, each.quality) for each in estimates if each.quality is not None]
    if judged:
        yield "quality", judged, form.quality, form.quality_change
    yield "$/request", [(each.estimator, each.cost_usd) for each in estimates], form.money, form.money_change
    yield "seconds", [(each.estimator, each.latency_s) for each in estimates], form.seconds, form.seconds_change


def _figures(value: Value, words: Words, change: Words) -> tuple[str, ...]:
    every = "" if value.anytime95 is None else _between(value.anytime95, words)
    return words(value.mean), _between(value.ci95, words), every, change(value.gain)


def _between(interval: Interval, words: Words) -> str:
    if math.isinf(interval.high):
        return f"{words(interval.low)} up"
    return form.between(*interval, words)


def _shadow_table(shadows: Sequence[ShadowComparison]) -> Table:
    table = titled_table("")
    add_names(table, "shadow")
    add_figures(table, "decided", "agrees", "better", "as good", "cheaper", "$ saved", "quality")
    for each in shadows:
        rates = map(form.percent, (each.agreement, each.win_rate, each.tie_rate, each.cheaper_rate))
        changes = form.money(each.saved_usd.mean), form.quality_change(each.quality_gain.mean)
        table.add_row(Text(printable(each.shadow)), form.count(each.decisions), *rates, *changes)
    return table


def _overlap_table(targets: Sequence[Target]) -> Table:
    table = titled_table("")
    add_names(table, "policy, model")
    add_figures(table, "logged", "wanted", "matched", "worth", "largest\nweight", "never\nseen")
    for target in targets:
        table.add_row(Text(printable(target.policy), style="dim"))
        for each in target.overlap:
            if each.target_share > 0:
                table.add_row(Text(f"{_INDENT}{printable(each.model)}"), *_overlap(each))
    return table


def _overlap(each: Overlap) -> tuple[str, ...]:
    shares = form.percent(each.logged_share), form.percent(each.target_share)
    worth = form.count(each.matched), f"{each.ess:,.0f}", f"{each.max_weight:,.1f}"
    return (*shares, *worth, form.percent(each.unseen_share))


def _set_aside_table(set_aside: Sequence[SetAside]) -> Table:
    table = titled_table("")
    add_figures(table, "rows")
    add_names(table, "why")
    for each in set_aside:
        where = "" if each.first_line is None else f" (first on line {each.first_line})"
        table.add_row(form.count(each.rows), Text(f"{each.reason}{where}"))
    return table
