"""The tables of sums: evidence by edge, dollars by window, the last pace of each budget."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from banditroute.routing.lessons import Edge

from .codec import pace_json, pace_of
from .packing import length_of, width_of
from .protocol import Window
from .tally import LoggedPace, Tally

Floats = NDArray[np.float64]

RETIRED = "retired_"
"""The prefix of the tables for what rows whose retention is over have added."""


class Totals:
    """One set of these tables; to write into them takes a transaction that was begun for writing.

    Args:
        connection: to the file.
        prefix: which set.
    """

    def __init__(self, connection: sqlite3.Connection, prefix: str = "") -> None:
        self._execute = connection.execute
        self._sql = _Statements(prefix)

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
        for edge, sums in tally.evidence.items():
            self._add_evidence(edge, sums)
        for window, usd in tally.spent_usd.items():
            self._execute(self._sql.add_spent, (*window, usd))
        for budget, (number, record) in tally.paces.items():
            self._execute(self._sql.put_pace, (budget, number, pace_json(record)))

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
        return Tally(evidence, spent, paces)

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
        evidence, spent, pace = f"{prefix}evidence", f"{prefix}spent", f"{prefix}pace"
        edge = "task, model, signal, encoder_version"
        self.find_evidence = (
            f"SELECT edge, sums FROM {evidence} WHERE task = ? AND model = ? AND signal = ? AND encoder_version = ?"
        )
        self.insert_evidence = f"INSERT INTO {evidence} ({edge}, sums) VALUES (?, ?, ?, ?, ?)"
        self.update_evidence = f"UPDATE {evidence} SET sums = ? WHERE edge = ?"
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
        self.clear = (f"DELETE FROM {evidence}", f"DELETE FROM {spent}", f"DELETE FROM {pace}")


def _sums(blob: bytes) -> Floats:
    sums = np.frombuffer(blob, dtype=np.float64, count=len(blob) // 8)
    width_of(sums)
    return sums
