"""Which models were found to have changed, for people and for machines."""

from collections.abc import Sequence
from dataclasses import asdict

from rich.table import Table
from rich.text import Text

from banditroute.cli.inspection import span
from banditroute.cli.tables import add_figures, add_names, printable, titled_table
from banditroute.records import Alarm
from banditroute.reports.store.alarms import before_and_after, confidence_of, signal_of


def alarms_table(alarms: Sequence[Alarm], now: float) -> Table:
    """One row for each alarm."""
    table = titled_table("Models that were found to have changed")
    add_figures(table, "ago")
    add_names(table, "model")
    add_names(table, "what")
    add_figures(table, "before", "after", "seen", "sure")
    for each in alarms:
        what = f"{signal_of(each)}, {each.task}" if each.task else signal_of(each)
        names = Text(printable(each.model)), Text(printable(what))
        table.add_row(span(now - each.at), *names, *before_and_after(each), f"{each.seen}", confidence_of(each))
    return table


def alarm_json(alarm: Alarm) -> dict[str, object]:
    """All of it; no task: of the model as a whole."""
    return {**asdict(alarm), "task": alarm.task or None}
