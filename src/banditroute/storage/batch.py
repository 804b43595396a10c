"""Many operations on the log as one transaction, each with a result of its own."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from banditroute.errors import BanditrouteError, UnknownDecisionError
from banditroute.routing.lessons import Lesson

from .connecting import transaction
from .judging import judged_outcome
from .operations import Begin, Judge, LogOperation, Result, Settle
from .packing import sums_of
from .tally import Tally
from .totals import Totals

_BEGIN = (
    "INSERT INTO decision (decision_id, at, dispatch, prompt) VALUES (?, ?, ?, ?) ON CONFLICT (decision_id) DO NOTHING"
)
_SETTLE = "UPDATE decision SET settlement = ?, paced = ? WHERE decision_id = ? AND settlement IS NULL"
_FIND = "SELECT seq, settlement FROM decision WHERE decision_id = ?"
_JUDGE = "INSERT INTO feedback (decision, source, feedback) VALUES (?, ?, ?) ON CONFLICT (decision, source) DO NOTHING"
_JUDGED = "SELECT 1 FROM feedback WHERE decision = ? AND source = ?"


class BatchWriter:
    """Writes batches through one connection. Evidence and the number of the last pace are remembered between them.

    Args:
        connection: to the file; nobody else writes through it.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._execute = connection.execute
        self._connection = connection
        self._totals = Totals(connection)
        self._number = 0
        self._file_version: int | None = None
        self._lessons: list[Lesson] = []
        self._sums = Tally()

    def write(self, operations: Sequence[LogOperation]) -> list[Result]:
        """Writes them all in one transaction, decisions first; what came of each, in their order.

        Raises:
            sqlite3.Error: nothing of it was written.
        """
        version, self._file_version = self._file_version, None  # it stays forgotten unless the end is reached
        with transaction(self._connection):
            current = self._caught_up(version)
            results = self._results(operations)
            self._add_up()
        self._file_version = current
        return results

    def forget(self) -> None:
        """Reads anew what was remembered, as after a change by this connection that was no batch."""
        self._file_version = None

    def _caught_up(self, known: int | None) -> int:
        """The file's version, what was remembered being forgotten where another connection has changed it since."""
        version: int = self._execute("PRAGMA data_version").fetchone()[0]
        if version != known:
            self._totals.forget()
            self._number = self._totals.last_number()
        self._lessons = []
        self._sums = Tally()
        return version

    def _results(self, operations: Sequence[LogOperation]) -> list[Result]:
        for operation in operations:
            if isinstance(operation, Begin):
                self._execute(_BEGIN, operation)
        return [self._result(operation) for operation in operations]

    def _result(self, operation: LogOperation) -> Result:
        try:
            if isinstance(operation, Settle):
                return self._settle(operation)
            return self._judge(operation) if isinstance(operation, Judge) else True
        except BanditrouteError as error:
            return error

    def _settle(self, settle: Settle) -> bool:
        self._totals.check(settle.lessons)
        number = self._number + 1 if settle.paces else None
        if self._execute(_SETTLE, (settle.settlement, number, settle.decision_id)).rowcount == 0:
            self._find(settle.decision_id)
            return False
        self._learn(settle.lessons)
        self._sums.charge(settle.charges)
        if number is not None:
            self._number = number
            self._sums.pace(settle.paces, number)
        return True

    def _judge(self, judge: Judge) -> bool:
        seq, settlement = self._find(judge.decision_id)
        if self._execute(_JUDGED, (seq, judge.source)).fetchone() is not None:
            return False
        judged_outcome(judge.decision_id, settlement)
        self._totals.check((judge.lesson,))
        self._execute(_JUDGE, (seq, judge.source, judge.feedback))
        self._learn((judge.lesson,))
        return True

    def _find(self, decision_id: str) -> tuple[int, str | None]:
        found: tuple[int, str | None] | None = self._execute(_FIND, (decision_id,)).fetchone()
        if found is None:
            raise UnknownDecisionError(decision_id)
        return found

    def _learn(self, lessons: Sequence[Lesson]) -> None:
        self._totals.expect(lessons)
        self._lessons.extend(lessons)

    def _add_up(self) -> None:
        """Writes what the batch changes of the sums: once per edge, window and budget."""
        self._totals.add_evidence(sums_of(self._lessons))
        self._totals.add_spent(self._sums.spent_usd)
        self._totals.put_paces(self._sums.paces)
