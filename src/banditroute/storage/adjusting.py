"""Alarms, and what they and forgetting add to the evidence.

What is added stands in no row of the log, so it goes to the sums and to those of rows that are gone alike: rebuilding
starts from these.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence

from banditroute.learning.evidence import Evidence
from banditroute.records import Alarm
from banditroute.routing.lessons import Edge

from .codec import alarm_json, alarm_of
from .connecting import transaction
from .packing import width_of
from .protocol import State
from .tally import Tally
from .totals import RETIRED, Totals
from .widths import check_width


def adjust(connection: sqlite3.Connection, alarms: Sequence[Alarm], sums: Mapping[Edge, Evidence]) -> int:
    """Writes them in one transaction; returns how many alarms there were.

    Raises:
        StoreError: its inputs are not those that an edge has seen.
        sqlite3.Error: nothing of it was written.
    """
    more = Tally.of(State(sums, {}, {}))
    with transaction(connection):
        totals = Totals(connection)
        for edge, added in more.evidence.items():
            if (known := totals.width(edge)) is not None:
                check_width(edge, known, width_of(added))
        for prefix in ("", RETIRED):
            Totals(connection, prefix).add(more)
        connection.executemany("INSERT INTO alarm (alarm) VALUES (?)", [(alarm_json(alarm),) for alarm in alarms])
    return len(alarms)


def alarms(connection: sqlite3.Connection, limit: int) -> list[Alarm]:
    """The newest alarms, newest first.

    Raises:
        StoreError: a row is damaged.
    """
    return [
        alarm_of(text) for (text,) in connection.execute("SELECT alarm FROM alarm ORDER BY seq DESC LIMIT ?", (limit,))
    ]
