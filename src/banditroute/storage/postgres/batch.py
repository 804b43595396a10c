"""Many operations on the log as one statement, each with a result of its own."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any, cast

from banditroute.errors import NotServedError, StoreError, UnknownDecisionError

from .address import Place
from .days import KEPT, day_of, days_ahead
from .driver import Connection
from .edges import KnownEdges, widths_of
from .faults import is_missing_partition
from .operations import Begin, Judge, LogOperation, Result, Settle
from .pending import Pending

_LOG = "SELECT * FROM {schema}.log($1, $2, $3, $4)"
_LOG_IN_TURN = "SELECT * FROM {schema}.log_in_turn($1, $2, $3, $4)"
_MAKE_DAYS = "SELECT {schema}.make_days($1)"
_MOST_HINTS = 16_384
_UNSERVED = {2: "it has no outcome yet; record one first", 3: "no whole answer was delivered"}


class BatchWriter:
    """Writes batches. A batch that may have been written already may be written again: nothing of it counts twice.

    Args:
        place: where the store is.
        writer: names this process's store.
        edges: the widths that are known.
        in_turn: whether batches have to be committed in the order of their names, whatever connections do.
    """

    def __init__(self, place: Place, writer: str, edges: KnownEdges, *, in_turn: bool = False) -> None:
        self._log = place.sql(_LOG_IN_TURN if in_turn else _LOG)
        self._make_days = place.sql(_MAKE_DAYS)
        self._writer = writer
        self._edges = edges
        self._made: set[date] = set()
        self._days: dict[str, date] = {}
        self._last_day: date | None = None

    async def write(self, connection: Connection, operations: Sequence[LogOperation], pending: Pending) -> list[Result]:
        """Writes them all at once, decisions first; what came of each, in their order.

        Args:
            connection: to the database.
            operations: what to write.
            pending: takes in what was written.

        Raises:
            asyncpg.PostgresError, OSError: nothing of it was written, or all of it and nobody knows.
        """
        self._hint(operations)
        days = {self._days[each.decision_id] for each in operations if isinstance(each, Begin)}
        await self._make(connection, days)
        self._last_day = max(days, default=self._last_day)
        refused = await self._refused(connection, operations)
        sent = [each for place, each in enumerate(operations) if place not in refused]
        came = iter(await self._send(connection, sent, pending))
        return [refused[place] if place in refused else next(came) for place in range(len(operations))]

    def _hint(self, operations: Sequence[LogOperation]) -> None:
        for each in operations:
            if isinstance(each, Begin):
                self._days[each.decision_id] = day_of(each.at)
        while len(self._days) > _MOST_HINTS + len(operations):
            del self._days[next(iter(self._days))]

    @property
    def behind(self) -> bool:
        """Whether the day after the last one that was written to has no partition yet."""
        return self._last_day is not None and not self._made.issuperset(days_ahead(self._last_day)[:1])

    async def look_ahead(self, connection: Connection) -> None:
        """Makes partitions for the days to come, so that nobody waits for one at midnight.

        Raises:
            asyncpg.PostgresError, OSError: they could not be made.
        """
        if self._last_day is not None:
            await self._make(connection, set(days_ahead(self._last_day)))

    async def _make(self, connection: Connection, days: set[date]) -> None:
        if not days <= self._made:
            leaving: list[date] = await connection.fetchval(self._make_days, sorted(days))
            self._made |= days.difference(leaving)
            for decision_id in [each for each, day in self._days.items() if day in leaving]:
                self._days[decision_id] = KEPT

    async def _refused(self, connection: Connection, operations: Sequence[LogOperation]) -> dict[int, StoreError]:
        """Those whose lessons cannot be added, by their places."""
        widths = {place: widths_of(_lessons(each)) for place, each in enumerate(operations)}
        await self._edges.learn(connection, (each for several in widths.values() for each in several))
        refused: dict[int, StoreError] = {}
        for place, several in widths.items():
            try:
                self._edges.check(several)
            except StoreError as error:
                refused[place] = error
        return refused

    async def _send(self, connection: Connection, sent: Sequence[LogOperation], pending: Pending) -> list[Result]:
        begins = [each for each in sent if isinstance(each, Begin)]
        settles = [each for each in sent if isinstance(each, Settle)]
        judges = [each for each in sent if isinstance(each, Judge)]
        if not sent:
            return []
        try:
            row = await connection.fetchrow(
                self._log, self._writer, self._begun(begins), self._settled(settles), self._judged(judges)
            )
        except BaseException as error:
            pending.sure = False
            if is_missing_partition(error):
                self._made.clear()
            raise
        assert row is not None, "a function returns a row"
        if row["batch"]:
            pending.batches.append(row["batch"])
        numbers, codes = iter(row["settled"] or ()), iter(row["judged"] or ())
        return [_result(each, numbers, codes, pending) for each in sent]

    def _begun(self, begins: Sequence[Begin]) -> tuple[Any, ...]:
        ids = [each.decision_id for each in begins]
        days = [self._days[decision_id] for decision_id in ids]
        rest = [each.at for each in begins], [each.dispatch for each in begins], [each.prompt for each in begins]
        return ids, days, *rest

    def _settled(self, settles: Sequence[Settle]) -> tuple[Any, ...]:
        rest = [each.ok for each in settles], [each.settlement for each in settles]
        return *self._asked(settles), *rest

    def _judged(self, judges: Sequence[Judge]) -> tuple[Any, ...]:
        rest = [each.source for each in judges], [each.feedback for each in judges]
        return *self._asked(judges), *rest

    def _asked(self, operations: Sequence[Settle | Judge]) -> tuple[list[str], list[date | None], list[int]]:
        ids = [each.decision_id for each in operations]
        return ids, [self._days.get(decision_id) for decision_id in ids], [each.token for each in operations]


def _lessons(operation: LogOperation) -> tuple[Any, ...]:
    if isinstance(operation, Settle):
        return operation.lessons
    return (operation.lesson,) if isinstance(operation, Judge) else ()


def _result(operation: LogOperation, numbers: Any, codes: Any, pending: Pending) -> Result:
    if isinstance(operation, Settle):
        number = cast("int | None", next(numbers))
        if number:
            pending.settle(operation, number)
        return UnknownDecisionError(operation.decision_id) if number is None else number > 0
    if isinstance(operation, Judge):
        return _judgement(operation, next(codes), pending)
    return True


def _judgement(judge: Judge, code: int | None, pending: Pending) -> Result:
    if code is None:
        return UnknownDecisionError(judge.decision_id)
    if code in _UNSERVED:
        return NotServedError(judge.decision_id, _UNSERVED[code])
    if code == 1:
        pending.judge(judge)
    return code == 1
