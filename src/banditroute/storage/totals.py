"""The tables of sums: evidence by edge, dollars by window, the last pace of each budget."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from banditroute.routing.lessons import Edge, Lesson

from .codec import pace_json, pace_of
from .packing import edges_of, width_of
from .protocol import Window
from .tally import LoggedPace, Tally, check_width

Floats = NDArray[np.float64]

RETIRED = "retired_"
"""The prefix of the tables for what rows whose retention is over have added."""


@dataclass(slots=True)
class _EdgeRow:
    """An edge's row, as this connection last saw it."""

    key: int
    sums: Floats


class Totals:
    """One set of these tables, for use inside a transaction that was begun for writing.

    Evidence is remembered from one transaction to the next: `forget` it when the file was changed by others, and when
    a transaction did not come to its end.

    Args:
        connection: to the file.
        prefix: which set.
    """

    def __init__(self, connection: sqlite3.Connection, prefix: str = "") -> None:
        self._execute = connection.execute
        self._rows: dict[Edge, _EdgeRow | None] = {}
        self._widths: dict[Edge, int] = {}
        self._sql = _Statements(prefix)

    def forget(self) -> None:
        """Reads evidence anew when it is next needed."""
        self._rows.clear()
        self._widths.clear()

    def check(self, lessons: Iterable[Lesson]) -> None:
        """Makes sure that lessons can be added.

        Raises:
            StoreError: one has inputs of another width than those that its edge has seen.
        """
        for lesson in lessons:
            for edge in edges_of(lesson):
                check_width(edge, self._width(edge), lesson)

    def expect(self, lessons: Iterable[Lesson]) -> None:
        """Holds later lessons of the same transaction to the widths of these, which will be added."""
        for lesson in lessons:
            for edge in edges_of(lesson):
                self._widths[edge] = len(lesson.x)

    def last_number(self) -> int:
        """The number of the pace that was written last; 0 where there is none."""
        return self._execute(self._sql.last_number).fetchone()[0]

    def add_evidence(self, sums: Mapping[Edge, Floats]) -> None:
        """Adds packed evidence."""
        for edge, more in sums.items():
            row = self._row(edge)
            if row is None:
                cursor = self._execute(self._sql.insert_evidence, (*edge, more.tobytes()))
                assert cursor.lastrowid is not None
                self._rows[edge] = _EdgeRow(cursor.lastrowid, more)
            else:
                row.sums = row.sums + more
                self._execute(self._sql.update_evidence, (row.sums.tobytes(), row.key))

    def add_spent(self, spent_usd: Mapping[Window, float]) -> None:
        """Adds dollars."""
        for window, usd in spent_usd.items():
            self._execute(self._sql.add_spent, (*window, usd))

    def put_paces(self, paces: Mapping[str, LoggedPace]) -> None:
        """Takes in paces where none that is known was written later."""
        for budget, (number, record) in paces.items():
            self._execute(self._sql.put_pace, (budget, number, pace_json(record)))

    def add(self, tally: Tally) -> None:
        """Adds all sums of a tally."""
        self.add_evidence(tally.evidence)
        self.add_spent(tally.spent_usd)
        self.put_paces(tally.paces)

    def replace(self, tally: Tally) -> None:
        """Puts other sums in the place of these; the paces' numbers go on from where they are."""
        self.forget()
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

    def _width(self, edge: Edge) -> int | None:
        if edge not in self._widths and (row := self._row(edge)) is not None:
            self._widths[edge] = width_of(row.sums)
        return self._widths.get(edge)

    def _row(self, edge: Edge) -> _EdgeRow | None:
        if edge not in self._rows:
            found = self._execute(self._sql.find_evidence, edge).fetchone()
            self._rows[edge] = None if found is None else _EdgeRow(found[0], _sums(found[1]))
        return self._rows[edge]


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
        self.last_number = f"SELECT coalesce(max(number), 0) FROM {pace}"
        self.all_evidence = f"SELECT {edge}, sums FROM {evidence} ORDER BY edge"
        self.all_spent = f"SELECT budget, period, usd FROM {spent}"
        self.paces = f"SELECT budget, number, pace FROM {pace} WHERE pace IS NOT NULL"
        self.clear = (
            f"DELETE FROM {evidence}",
            f"DELETE FROM {spent}",
            f"UPDATE {pace} SET pace = NULL",
        )


def _sums(blob: bytes) -> Floats:
    sums = np.frombuffer(blob, dtype=np.float64, count=len(blob) // 8)
    width_of(sums)
    return sums
