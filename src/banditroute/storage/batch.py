"""Many operations on the log as one transaction, each with a result of its own."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager

from banditroute.errors import BanditrouteError, UnknownDecisionError

from .connecting import transaction
from .exchanging import exchanged
from .folding import Marks, Places, add, places, unfolded
from .judging import judged_outcome
from .operations import Begin, Judge, LogOperation, Result, Settle
from .pending import Pending
from .sharing import News, Report
from .totals import Totals
from .widths import Widths

_MOST_UNFOLDED = 256  # rows; whoever reads the state adds them up
_UNFOLDED_S = 1.0

_BEGIN = (
    "INSERT INTO decision (seq, decision_id, at, dispatch, prompt, request_id, session_id) "
    "VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (decision_id) DO NOTHING"
)
_SETTLE = "INSERT INTO outcome (number, decision, settlement) VALUES (?, ?, ?) ON CONFLICT (decision) DO NOTHING"
_SETTLED = "DELETE FROM unsettled WHERE decision = ?"
_FIND = "SELECT seq FROM decision WHERE decision_id = ?"
_FIND_OUTCOME = "SELECT settlement FROM outcome WHERE decision = ?"
_JUDGE = "INSERT INTO feedback (seq, decision, source, feedback) VALUES (?, ?, ?, ?)"
_JUDGED = "SELECT 1 FROM feedback WHERE decision = ? AND source = ?"


class BatchWriter:
    """Writes batches through one connection, and brings the sums up to the log now and then.

    What it remembers of the file holds as long as nobody else writes: SQLite counts the changes by others, and the
    count is asked for inside every transaction. Its own rows it remembers all the same, so that of those that are in no
    sum yet it has only the others' to read.

    Args:
        connection: to the file; nobody else writes through it.
        clock: seconds that never go back.

    Attributes:
        crowded: somebody else has written decisions or outcomes since the first batch.
    """

    def __init__(self, connection: sqlite3.Connection, clock: Callable[[], float] = time.monotonic) -> None:
        self._connection = connection
        self._execute = connection.execute
        self._clock = clock
        self._totals = Totals(connection)
        self._widths = Widths(self._totals.width)
        self._pending = Pending()
        self._version: int | None = None
        self.crowded = False
        self._folded = Marks(0, 0, 0)
        self._number = self._judgement = self._seq = 0  # the last of each that was given
        self._unfolded_since: float | None = None

    def write(self, operations: Sequence[LogOperation]) -> list[Result]:
        """Writes them all in one transaction, decisions first; what came of each, in their order.

        Raises:
            StoreError: the file is damaged; nothing of it was written.
            sqlite3.Error: nothing of it was written.
        """
        if self.fold_due:
            self.fold()
        with transaction(self._connection):
            version = self._caught_up()
            results = self._results(operations)
        self._version = version
        if self._unfolded_since is None and self._unfolded:
            self._unfolded_since = self._clock()
        return results

    @property
    def fold_due(self) -> bool:
        """Whether so many rows are in no sum yet, or one for so long, that it is time to `fold`."""
        if self._unfolded_since is None:
            return False
        return self._unfolded >= _MOST_UNFOLDED or self._clock() - self._unfolded_since >= _UNFOLDED_S

    def fold(self) -> None:
        """Brings the sums up to the log, in a transaction of its own.

        Raises:
            StoreError: a row is damaged; nothing was changed.
            sqlite3.Error: nothing was changed.
        """
        with self._folding():
            pass

    def exchange(self, report: Report, now: float) -> News:
        """Brings the sums up to the log, and has a process tell the others and hear of them, in one transaction.

        Raises:
            StoreError: a row is damaged; nothing was changed.
            sqlite3.Error: nothing was changed.
        """
        with self._folding():
            return exchanged(self._connection, report, now)

    @contextmanager
    def _folding(self) -> Generator[None]:
        """A transaction in which the sums are up to the log."""
        with transaction(self._connection):
            version = self._caught_up()
            if self._unfolded:
                at = Places(self._folded, Marks(self._number, self._judgement, self._seq))
                self._folded = add(self._connection, unfolded(self._connection, at, self._pending), at)
            yield
        self._version = version
        self._pending.forget()
        self._unfolded_since = None

    def forget(self) -> None:
        """Reads anew what was remembered, as after a change by this connection that was no batch."""
        self._version = None

    @property
    def _unfolded(self) -> int:
        return self._number - self._folded.outcome + self._judgement - self._folded.feedback

    def _caught_up(self) -> int:
        """The file's version, what was remembered being read anew where another connection has changed it since.

        Until the transaction has come to its end, what is remembered counts for nothing.
        """
        known, self._version = self._version, None
        version: int = self._execute("PRAGMA data_version").fetchone()[0]
        if version != known:
            before = self._number + self._seq
            self._folded, (self._number, self._judgement, self._seq) = places(self._connection)
            self.crowded |= known is not None and self._number + self._seq > before
            self._widths.forget()
            self._pending.forget(self._folded.outcome, self._folded.feedback)
        if known is None:  # what was written last may have been undone
            self._pending.forget()
        return version

    def _results(self, operations: Sequence[LogOperation]) -> list[Result]:
        begun: dict[str, int] = {}
        for operation in operations:
            if isinstance(operation, Begin):
                self._begin(operation, begun)
        return [self._result(operation, begun) for operation in operations]

    def _begin(self, begin: Begin, begun: dict[str, int]) -> None:
        if self._execute(_BEGIN, (self._seq + 1, *begin)).rowcount:
            self._seq += 1
            begun[begin.decision_id] = self._seq

    def _result(self, operation: LogOperation, begun: Mapping[str, int]) -> Result:
        try:
            if isinstance(operation, Settle):
                return self._settle(operation, begun.get(operation.decision_id))
            return self._judge(operation) if isinstance(operation, Judge) else True
        except BanditrouteError as error:
            return error

    def _settle(self, settle: Settle, seq: int | None) -> bool:
        self._widths.check(settle.lessons)
        if seq is None:
            seq = self._find(settle.decision_id)
        if not self._execute(_SETTLE, (self._number + 1, seq, settle.settlement)).rowcount:
            return False
        self._number += 1
        if seq <= self._folded.decision:
            self._execute(_SETTLED, (seq,))
        self._totals.introduce(self._widths.expect(settle.lessons))
        self._pending.settled[self._number] = settle
        return True

    def _judge(self, judge: Judge) -> bool:
        seq = self._find(judge.decision_id)
        if self._execute(_JUDGED, (seq, judge.source)).fetchone() is not None:
            return False
        settled: tuple[str] | None = self._execute(_FIND_OUTCOME, (seq,)).fetchone()
        judged_outcome(judge.decision_id, None if settled is None else settled[0])
        lessons = (judge.lesson,)
        self._widths.check(lessons)
        self._execute(_JUDGE, (self._judgement + 1, seq, judge.source, judge.feedback))
        self._judgement += 1
        self._totals.introduce(self._widths.expect(lessons))
        self._pending.judged[self._judgement] = judge.lesson
        return True

    def _find(self, decision_id: str) -> int:
        found: tuple[int] | None = self._execute(_FIND, (decision_id,)).fetchone()
        if found is None:
            raise UnknownDecisionError(decision_id)
        return found[0]
