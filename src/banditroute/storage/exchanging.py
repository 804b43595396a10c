"""What processes on one file tell each other: who is alive, what each holds of the caps, which models do not answer."""

from __future__ import annotations

import sqlite3

from .packing import unpacked
from .sharing import Ask, Grant, News, OpenCircuit, Report, granted_usd
from .totals import Totals

_GONE = (
    "DELETE FROM holder WHERE alive_until <= ?",
    "DELETE FROM lease WHERE until <= ?",
    "DELETE FROM circuit WHERE until <= ?",
)
_TAKEN_BACK = ("DELETE FROM lease WHERE holder = ?", "DELETE FROM circuit WHERE holder = ?")
_LEAVES = "DELETE FROM holder WHERE name = ?"
_JOINS = (
    "INSERT INTO holder (name, alive_until) VALUES (?, ?) "
    "ON CONFLICT (name) DO UPDATE SET alive_until = excluded.alive_until"
)
_HOLDERS = "SELECT name FROM holder ORDER BY joined"
_LEASED = "SELECT coalesce(sum(usd), 0.0) FROM lease WHERE budget = ? AND period = ?"
_LEASE = "INSERT INTO lease (budget, period, holder, usd, until) VALUES (?, ?, ?, ?, ?)"
_OPEN = "INSERT INTO circuit (model, holder, until, why) VALUES (?, ?, ?, ?)"
_CIRCUITS = "SELECT model, max(until), why FROM circuit WHERE holder <> ? GROUP BY model ORDER BY model"


def exchanged(connection: sqlite3.Connection, report: Report, now: float) -> News:
    """Takes in a report and tells the news, inside a transaction; the sums must be up to the log.

    Raises:
        StoreError: a row is damaged.
    """
    execute, totals = connection.execute, Totals(connection)
    for statement in _GONE:
        execute(statement, (now,))
    for statement in _TAKEN_BACK:
        execute(statement, (report.holder,))
    if report.leaving:
        execute(_LEAVES, (report.holder,))
    else:
        execute(_JOINS, (report.holder, now + report.alive_s))
        circuits = [(each.model, report.holder, now + each.for_s, each.why) for each in report.circuits]
        connection.executemany(_OPEN, circuits)
    version, changed = totals.changed(report.known)
    holders: list[str] = [name for (name,) in execute(_HOLDERS)]
    told = execute(_CIRCUITS, (report.holder,))
    return News(
        version,
        {edge: unpacked(sums) for edge, sums in changed.items()},
        totals.paid(),
        tuple(_granted(connection, totals, report, ask, now) for ask in report.asks),
        tuple(sorted(name for name in holders if name != report.holder)),
        tuple(OpenCircuit(model, until - now, why) for model, until, why in told),
        on_duty=holders[:1] == [report.holder],
    )


def _granted(connection: sqlite3.Connection, totals: Totals, report: Report, ask: Ask, now: float) -> Grant:
    spent_usd = totals.spent_usd(ask.window)
    if report.leaving:
        return Grant(ask.window, 0.0, spent_usd)
    leased_usd: float = connection.execute(_LEASED, ask.window).fetchone()[0]
    usd = granted_usd(ask, spent_usd, leased_usd)
    connection.execute(_LEASE, (*ask.window, report.holder, usd, now + report.lease_s))
    return Grant(ask.window, usd, spent_usd)
