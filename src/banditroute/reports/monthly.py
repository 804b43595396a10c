"""A month of a router's store as a report, a page and files."""

from __future__ import annotations

from pathlib import Path

from banditroute.reports import format as write
from banditroute.reports.export import save_tables
from banditroute.reports.month.calendar import title_of
from banditroute.reports.month.month import Month
from banditroute.reports.page import write_report
from banditroute.reports.parts import Note, Report, Section, Table
from banditroute.reports.sections.month.caps import budget_tables, budgets_section
from banditroute.reports.sections.month.incidents import incidents_section, incidents_table
from banditroute.reports.sections.month.overview import overview_section
from banditroute.reports.sections.month.quality import quality_section, quality_tables
from banditroute.reports.sections.month.reading import reading_section
from banditroute.reports.sections.month.savings import savings_section, savings_table
from banditroute.reports.sections.month.spending import spending_section, spending_tables


def write_month_report(month: Month, path: Path | str) -> None:
    """Writes a month as one self-contained HTML page, whole or not at all.

    Raises:
        InputError: the file cannot be written there.
        MissingExtraError: jinja2 or matplotlib is not installed.
    """
    write_report(month_report(month), path)


def save_month_tables(month: Month, directory: Path | str) -> tuple[Path, ...]:
    """The CSV files written, one for each table, every part of it and no totals; units are in the columns' names.

    Raises:
        InputError: the directory cannot be made or written to.
    """
    return save_tables(month_tables(month), directory)


def month_report(month: Month) -> Report:
    """A month as parts of a report; nothing is drawn yet."""
    title = f"{title_of(month.period)}: {month.store}"
    return Report(title, _subtitle(month), summary_of(month), _sections(month))


def month_tables(month: Month) -> tuple[Table, ...]:
    """Every table of a month, for files."""
    savings = () if month.comparison is None else (savings_table(month.comparison),)
    return (
        *spending_tables(month),
        *budget_tables(month),
        *savings,
        *quality_tables(month),
        incidents_table(month.moments),
    )


def summary_of(month: Month) -> str:
    """What the month came to, in one sentence."""
    total = month.traffic.total
    if month.is_empty:
        return f"No decision of {title_of(month.period)} is on record."
    spent = f"{write.money(total.usd)} for {write.plural(total.requests, 'request')}"
    if not total.judged:
        return f"{spent}; no answer was judged."
    return f"{spent}, at quality {write.quality(total.quality)} by {write.plural(total.judged, 'judged answer')}."


def _subtitle(month: Month) -> str:
    period = month.period
    first, last = (write.date(at)[:-6] for at in (period.starts_at, period.ends_at - 1.0))
    until = f"the end of {last}" if month.is_over else f"{write.date(month.at)}, not over yet"
    return f"From {first} to {until}; all times UTC."


def _sections(month: Month) -> tuple[Section, ...]:
    if month.is_empty:
        return tuple(each for each in (_nothing(month), budgets_section(month), _happened(month)) if each is not None)
    found = (
        overview_section(month),
        spending_section(month),
        budgets_section(month),
        savings_section(month),
        quality_section(month),
        incidents_section(month),
        reading_section(),
    )
    return tuple(section for section in found if section is not None)


def _nothing(month: Month) -> Section:
    words = summary_of(month)
    if month.gone_before is not None:
        words += f" Decisions from before {write.date(month.gone_before)} UTC are past their retention and may be gone."
    return Section("overview", "At a glance", "", (Note(words),))


def _happened(month: Month) -> Section | None:
    return incidents_section(month) if month.moments else None
