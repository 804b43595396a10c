"""What the log holds: what its own policies got, and the rows that take no part."""

import math

from banditroute.evaluation.results import Evaluation, Interval
from banditroute.reports import columns
from banditroute.reports import format as write
from banditroute.reports.parts import Column, Note, Section, Table
from banditroute.reports.units import DOLLARS, QUALITY, SECONDS, Unit


def logged_section(result: Evaluation) -> Section | None:
    """The section: what each logging policy got; None where no decision counts."""
    if not result.logged:
        return None
    logged = result.logged
    table = Table(
        name="logged-policies",
        caption="Measured on all of each policy's decisions, with 95% intervals beneath. Only those left to chance are "
        "evidence on other policies.",
        columns=(
            columns.words("policy", "Policy", [each.policy or "not named" for each in logged]),
            columns.counts("rows", "Decisions", [each.rows for each in logged]),
            columns.counts("drawn", "Left to chance", [each.drawn for each in logged]),
            columns.counts("judged", "Judged", [each.judged for each in logged]),
            _measured(QUALITY, [each.quality for each in logged]),
            _measured(DOLLARS, [each.cost_usd for each in logged]),
            _measured(SECONDS, [each.latency_s for each in logged]),
        ),
    )
    return Section("logged", "What was logged", "", (table,))


def _measured(unit: Unit, found: list[tuple[float, Interval] | None]) -> Column:
    means = [math.nan if each is None else each[0] for each in found]
    ends = [None if each is None else each[1] for each in found]
    return columns.estimates(unit.key, unit.title, means, ends, unit.text)


def set_aside_section(result: Evaluation) -> Section:
    """The section: rows that were refused or split off, and why."""
    title = "What was set aside"
    if not result.set_aside:
        return Section("set-aside", title, "", (Note("Every row of the log takes part."),))
    intro = f"{write.plural(result.used, 'decision')} of {write.count(result.rows)} on record are evidence."
    rows = result.set_aside
    table = Table(
        name="set-aside-table",
        caption="Rows that take no part in the estimates.",
        columns=(
            columns.words("reason", "Reason", [each.reason for each in rows]),
            columns.counts("rows", "Rows", [each.rows for each in rows]),
            columns.numbers("share", "Share", [each.rows / max(result.rows, 1) for each in rows], write.percent),
            columns.optional_counts("first_line", "First on line", [each.first_line for each in rows]),
        ),
    )
    return Section("set-aside", title, intro, (table,))
