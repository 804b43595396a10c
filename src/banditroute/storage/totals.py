"""The tables of sums: evidence by edge, dollars by window, the last pace of each budget, what it has paid for.

Each row of evidence has the version at which it changed last, so that who has heard of it need not read it again.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from banditroute.routing.lessons import Edge

from .codec import pace_json, pace_of
from .packing import length_of, width_of
from .protocol import Paid, Window
from .tally import LoggedPace, Tally

Floats = NDArray[np.float64]

RETIRED = "retired_"
"""The prefix of the tables for what rows whose retention is over have added."""

_VERSION = "SELECT version FROM folded"
_NEXT_VERSION = "UPDATE folded SET version = version + 1"


class Totals:
    """One set of these tables; to write into them takes a transaction that was begun for writing.

    Args:
        connection: to the file.
        prefix: which set.
    """

    def __init__(self, connection: sqlite3.Connection, prefix: str = "") -> None:
        self._execute = connection.execute
        self._sql = _Statements(prefix)
        self._versioned = not prefix

    def width(self, edge: Edge) -> int | None:
        """The width of an edge's inputs; None where it has no row.

        Raises:
            StoreError: the row is damaged.
        """
        found = self._find(edge)
        return None if found is None else width_of(found[1])

    def introduce(self, edges: Iterable[tuple[Edge, int]]) -> None:
        """Gives edges of these widths a row each, in which nothing has been seen."""
        for edge, width in edges:
            self._execute(self._sql.insert_evidence, (*edge, bytes(8 * length_of(width))))

    def add(self, tally: Tally) -> None:
        """Adds all sums of a tally; of a budget's paces the one that was written last stays."""
        if tally.evidence and self._versioned:
            self._execute(_NEXT_VERSION)
        for edge, sums in tally.evidence.items():
            self._add_evidence(edge, sums)
        for window, usd in tally.spent_usd.items():
            self._execute(self._sql.add_spent, (*window, usd))
        for budget, (number, record) in tally.paces.items():
            self._execute(self._sql.put_pace, (budget, number, pace_json(record)))
        for budget, paid in tally.paid.items():
            self._execute(self._sql.add_paid, (budget, *paid))

    def of(self, edges: Iterable[Edge]) -> dict[Edge, Floats]:
        """The sums of those edges that have a row.

        Raises:
            StoreError: a row is damaged.
        """
        found = ((edge, self._find(edge)) for edge in edges)
        return {edge: row[1] for edge, row in found if row is not None}

    def drop(self, budgets: Iterable[str]) -> None:
        """Forgets what these budgets have spent, and how they are paced."""
        for budget in budgets:
            for statement in self._sql.drop:
                self._execute(statement, (budget,))

    def replace(self, tally: Tally) -> None:
        """Puts other sums in the place of these."""
        for statement in self._sql.clear:
            self._execute(statement)
        self.add(tally)

    def load(self) -> Tally:
        """All of it.

        Raises:
            StoreError: a row is damaged.
        """
        evidence = {Edge(*edge): _sums(blob) for *edge, blob in self._execute(self._sql.all_evidence)}
        spent = {Window(budget, period): usd for budget, period, usd in self._execute(self._sql.all_spent)}
        paces = {budget: LoggedPace(number, pace_of(pace)) for budget, number, pace in self._execute(self._sql.paces)}
        return Tally(evidence, spent, paces, self.paid())

    def changed(self, since: int) -> tuple[int, dict[Edge, Floats]]:
        """The version of the evidence, and the sums of edges that changed since another one; of all since 0.

        Raises:
            StoreError: a row is damaged.
        """
        version: int = self._execute(_VERSION).fetchone()[0]
        after = since if 0 < since <= version else -1  # a version to come: of a file that a backup has replaced
        rows = self._execute(self._sql.changed_evidence, (after,))
        return version, {Edge(*edge): _sums(blob) for *edge, blob in rows}

    def paid(self) -> dict[str, Paid]:
        """What each budget has paid for."""
        return {budget: Paid(requests, usd) for budget, requests, usd in self._execute(self._sql.all_paid)}

    def spent_usd(self, window: Window) -> float:
        """What was spent in a window."""
        found: tuple[float] | None = self._execute(self._sql.find_spent, window).fetchone()
        return 0.0 if found is None else found[0]

    def _add_evidence(self, edge: Edge, more: Floats) -> None:
        found = self._find(edge)
        if found is None:
            self._execute(self._sql.insert_evidence, (*edge, more.tobytes()))
        else:
            key, sums = found
            self._execute(self._sql.update_evidence, ((sums + more).tobytes(), key))

    def _find(self, edge: Edge) -> tuple[int, Floats] | None:
        found: tuple[int, bytes] | None = self._execute(self._sql.find_evidence, edge).fetchone()
        return None if found is None else (found[0], _sums(found[1]))


class _Statements:
    """The SQL for one set of tables."""

    def __init__(self, prefix: str) -> None:
        evidence, spent, pace, paid = (f"{prefix}{table}" for table in ("evidence", "spent", "pace", "paid"))
        columns, values, version = ("", "", "")
        if not prefix:
            columns, values, version = (", version", f", ({_VERSION})", f", version = ({_VERSION})")
        edge = "task, model, signal, encoder_version"
        self.find_evidence = (
            f"SELECT edge, sums FROM {evidence} WHERE task = ? AND model = ? AND signal = ? AND encoder_version = ?"
        )
        self.insert_evidence = f"INSERT INTO {evidence} ({edge}, sums{columns}) VALUES (?, ?, ?, ?, ?{values})"
        self.update_evidence = f"UPDATE {evidence} SET sums = ?{version} WHERE edge = ?"
        self.changed_evidence = f"SELECT {edge}, sums FROM {evidence} WHERE version > ? ORDER BY edge"
        self.find_spent = f"SELECT usd FROM {spent} WHERE budget = ? AND period = ?"
        self.add_paid = (
            f"INSERT INTO {paid} (budget, requests, usd) VALUES (?, ?, ?) ON CONFLICT (budget) DO UPDATE "
            "SET requests = requests + excluded.requests, usd = usd + excluded.usd"
        )
        self.add_spent = (
            f"INSERT INTO {spent} (budget, period, usd) VALUES (?, ?, ?) "
            "ON CONFLICT (budget, period) DO UPDATE SET usd = usd + excluded.usd"
        )
        self.put_pace = (
            f"INSERT INTO {pace} (budget, number, pace) VALUES (?, ?, ?) ON CONFLICT (budget) DO UPDATE "
            "SET number = excluded.number, pace = excluded.pace WHERE excluded.number >= number"
        )
        self.all_evidence = f"SELECT {edge}, sums FROM {evidence} ORDER BY edge"
        self.all_spent = f"SELECT budget, period, usd FROM {spent}"
        self.paces = f"SELECT budget, number, pace FROM {pace}"
        self.all_paid = f"SELECT budget, requests, usd FROM {paid}"
        self.drop = tuple(f"DELETE FROM {table} WHERE budget = ?" for table in (spent, pace, paid))
        self.clear = tuple(f"DELETE FROM {table}" for table in (evidence, spent, pace, paid))


def _sums(blob: bytes) -> Floats:
    sums = np.frombuffer(blob, dtype=np.float64, count=len(blob) // 8)
    width_of(sums)
    return sums
