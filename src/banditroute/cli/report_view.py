"""A month for people, in tables that fit 80 columns."""

from collections.abc import Iterator, Mapping

from rich.table import Table
from rich.text import Text

from banditroute.cli.tables import add_figures, add_names, listing_console, printable, titled_table
from banditroute.reports import format as form
from banditroute.reports.month.calendar import title_of
from banditroute.reports.month.month import Month
from banditroute.reports.month.sums import Sums
from banditroute.reports.monthly import summary_of
from banditroute.reports.sections.month.caps import budgets_in_words
from banditroute.reports.sections.month.incidents import counted
from banditroute.reports.sections.month.naming import ranked
from banditroute.reports.sections.month.overview import missing_in_words
from banditroute.reports.sections.month.quality import trend_in_words
from banditroute.reports.sections.month.savings import in_words

_MOST = 12


def print_month(month: Month) -> None:
    """Prints what the month came to, where its dollars went, and what they are compared with."""
    console = listing_console()
    console.print(f"{title_of(month.period)}, UTC: {summary_of(month)}", soft_wrap=True)
    traffic = month.traffic
    if not month.is_empty:
        for title, parts in (("Tenant", traffic.tenants), ("Task class", traffic.tasks), ("Model", traffic.models)):
            console.print()
            console.print(_table(title, parts))
    sentences = list(_sentences(month))
    if sentences:
        console.print()
    for each in sentences:
        console.print(printable(each), soft_wrap=True)


def _table(title: str, parts: Mapping[str, Sums]) -> Table:
    table = titled_table(f"By {title.lower()}")
    add_names(table, title.lower())
    add_figures(table, "dollars", "requests", "$/request", "failed", "quality", "judged")
    rows = ranked(parts, _MOST)
    spent = form.money_column([row.sums.usd for row in rows])
    for row, dollars in zip(rows, spent, strict=True):
        sums = row.sums
        counts = (form.count(sums.failed), form.quality(sums.quality), form.count(sums.judged))
        figures = (dollars, form.count(sums.requests), form.money(sums.usd_per_request), *counts)
        table.add_row(Text(row.name), *figures)
    return table


def _sentences(month: Month) -> Iterator[str]:
    yield from missing_in_words(month)
    total = month.traffic.total
    if total.estimated:
        decisions = form.plural(total.estimated, "decision")
        yield f"{form.money(total.estimated_usd)} of it are estimates, in {decisions}."
    yield from budgets_in_words(month)
    if month.comparison is not None:
        yield from map(in_words, month.comparison.rows)
    if total.judged:
        yield trend_in_words(month.traffic.weeks)
    if month.moments:
        yield f"What happened: {counted(month.moments)}."
