"""Where the dollars of a month went: by tenant, task class, model and day."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from banditroute.reports import columns
from banditroute.reports import format as write
from banditroute.reports.charts import scales
from banditroute.reports.charts.bars import Bar, Bars, Division
from banditroute.reports.charts.timeline import Lane, Timeline
from banditroute.reports.month.calendar import DAY_S
from banditroute.reports.month.month import Month
from banditroute.reports.month.sums import Sums, total_of
from banditroute.reports.parts import Cell, Chart, Column, Section, Table
from banditroute.reports.sections.month.naming import Part, ranked

_MOST_BARS = 8
_MOST_ROWS = 30
_TOTAL = "all"


def spending_section(month: Month) -> Section:
    """The section: a picture of all three divisions, a table of each, and the days."""
    intro = "Every dollar is once in each of these divisions, judges' calls and failed calls included."
    tables = tuple(_table(name, *words, parts, _MOST_ROWS) for name, words, parts in _divisions(month))
    return Section("spending", "Where the dollars went", intro, (_picture(month), *tables, _by_day(month)))


def spending_tables(month: Month) -> tuple[Table, ...]:
    """The same for files: every part, and no total, which a spreadsheet would count twice."""
    tables = (_table(name, *words, parts, None) for name, words, parts in _divisions(month))
    return (*tables, _day_table(month))


def _divisions(month: Month) -> tuple[tuple[str, tuple[str, str], Mapping[str, Sums]], ...]:
    traffic = month.traffic
    return (
        ("tenants", ("Tenant", "By tenant, the dearest first."), traffic.tenants),
        ("tasks", ("Task class", "By task class, the dearest first; judge:NAME are a judge's calls."), traffic.tasks),
        (
            "models",
            (
                "Model",
                "By model, the dearest first. A request is the model's that answered it, or that was chosen where none "
                "did; each call's dollars are those of the model that was called.",
            ),
            traffic.models,
        ),
    )


def _table(name: str, heading: str, caption: str, parts: Mapping[str, Sums], most: int | None) -> Table:
    rows = ranked(parts, most)
    if most is not None:
        caption = f"{caption} Bold: all of them. Failed: without a whole answer."
        rows = [*rows, Part(_TOTAL, total_of(parts.values()))]
    table = Table(name, caption, _columns(name.removesuffix("s"), heading, rows, whole=most is None))
    return table if most is None else _with_total(table)


def _columns(key: str, heading: str, rows: Sequence[Part], *, whole: bool) -> tuple[Column, ...]:
    """What there is to say of each part; columns of nothing but 0 are left out, unless all are wanted."""
    sums = [row.sums for row in rows]
    cents = max((each.usd for each in sums), default=0.0) >= 1.0
    rare = (
        columns.counts("judge_calls", "Judges' calls", [each.judge_calls for each in sums]),
        columns.counts("still_open", "Still open", [each.still_open for each in sums]),
    )
    return (
        columns.words(key, heading, [row.name for row in rows]),
        _dollars("spent_usd", "Dollars", [each.usd for each in sums], cents=cents),
        _dollars("estimated_usd", "Estimated", [each.estimated_usd for each in sums], cents=cents),
        columns.counts("requests", "Requests", [each.requests for each in sums]),
        columns.counts("failed", "Failed", [each.failed for each in sums]),
        *(column for column in rare if whole or any(cell.value for cell in column.cells)),
        columns.money("usd_per_request", "A request", [each.usd_per_request for each in sums]),
        columns.counts("input_tokens", "Tokens in", [each.input_tokens for each in sums]),
        columns.counts("output_tokens", "Tokens out", [each.output_tokens for each in sums]),
        columns.quality("quality_0_to_1", "Quality", [each.quality for each in sums]),
        columns.counts("judged", "Judged", [each.judged for each in sums]),
    )


def _dollars(key: str, label: str, values_usd: Sequence[float], *, cents: bool) -> Column:
    """Dollars to the cent, or as finely as the smallest of them needs."""
    if not cents:
        return columns.money(key, label, values_usd)
    return Column(key, label, tuple(Cell(write.money_to(value, 2), value) for value in values_usd))


def _with_total(table: Table) -> Table:
    """The table with its last row emphasised, under a rule."""
    marked = (
        replace(column, cells=(*column.cells[:-1], replace(column.cells[-1], strong=True))) for column in table.columns
    )
    return replace(table, columns=tuple(marked), breaks=frozenset({len(table.rows) - 1}))


def _picture(month: Month) -> Chart:
    titles = ("By tenant", "By task class", "By model")
    divided = [
        (title, ranked(parts, _MOST_BARS)) for title, (_, _, parts) in zip(titles, _divisions(month), strict=True)
    ]
    total = month.traffic.total.usd
    return Chart(
        name="dollars",
        title="Dollars by tenant, task class and model",
        description=f"Bars of dollars, {write.money(total)} in each of three divisions. "
        + " ".join(f"{title}: {_spoken(parts, total)}." for title, parts in divided),
        draw=Bars(tuple(Division(title, tuple(map(_bar, parts))) for title, parts in divided)),
        data=_picture_data(divided),
    )


def _bar(part: Part) -> Bar:
    return Bar(part.name, part.sums.usd, write.money(part.sums.usd), part.is_rest)


def _spoken(parts: Sequence[Part], total: float) -> str:
    share = [part.sums.usd / total if total else 0.0 for part in parts]
    return write.listing(f"{part.name} {write.percent(each)}" for part, each in zip(parts, share, strict=True))


def _picture_data(divided: Sequence[tuple[str, Sequence[Part]]]) -> Table:
    rows = [(title, part) for title, parts in divided for part in parts]
    return Table(
        name="dollars-data",
        caption="Every bar.",
        columns=(
            columns.words("part", "Part", [part.name for _, part in rows]),
            columns.words("division", "Division", [title for title, _ in rows]),
            columns.money("spent_usd", "Dollars", [part.sums.usd for _, part in rows]),
        ),
    )


def _by_day(month: Month) -> Chart:
    days = month.traffic.days_usd
    return Chart(
        name="dollars-by-day",
        title="Dollars a day",
        description=f"Bars of dollars for each day of the month, UTC; {write.money(float(days.max()))} at most.",
        caption="Days of UTC, by when requests were decided.",
        draw=Timeline(month.period.starts_at, DAY_S, (Lane("Dollars a day", days, scales.dollars, bars=True),)),
        data=_day_table(month),
    )


def _day_table(month: Month) -> Table:
    days = month.traffic.days_usd.tolist()
    starts = (month.period.starts_at + n * DAY_S for n in range(len(days)))
    return Table(
        name="days",
        caption="Every day, UTC.",
        columns=(
            columns.words("day_utc", "Day", [f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d}" for at in starts]),
            columns.money("spent_usd", "Dollars", days),
        ),
    )
