"""What is read of the log, through a connection that waits for no writer."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from typing import NamedTuple

from banditroute.records import Feedback

from .codec import dispatch_of, feedback_of, settled_of
from .protocol import Dispatch, Named, PaceRecord, Trail
from .tally import Tally

PAGE = 256
STRETCH = 512  # rows that are looked through at a time

_DISORDER = 1024  # rows: instants of decisions rise with their places, but for this much

_ROW = (
    "SELECT seq, dispatch, prompt, settlement, number FROM decision "
    "LEFT JOIN outcome ON outcome.decision = decision.seq"
)
_TENANT = "json_extract(dispatch, '$.decision.tenant')"
_SETTLED = "SELECT seq, at FROM decision CROSS JOIN outcome ON outcome.decision = decision.seq ORDER BY seq"
_LISTED = "SELECT dispatch, prompt FROM unsettled JOIN decision ON decision.seq = unsettled.decision ORDER BY seq"
_NOT_LISTED = (
    "SELECT dispatch, prompt FROM decision WHERE seq > (SELECT decision FROM folded) "
    "AND NOT EXISTS (SELECT 1 FROM outcome WHERE outcome.decision = decision.seq) ORDER BY seq"
)
_LAST = "SELECT max(seq) FROM (SELECT seq FROM decision WHERE seq > ? ORDER BY seq LIMIT ?)"
_NAMING = "seq > ? AND seq <= ? AND instr(dispatch, ?) ORDER BY seq"
_FEEDBACK = "SELECT decision, feedback FROM feedback WHERE decision BETWEEN ? AND ? ORDER BY seq"


class Logged(NamedTuple):
    """A decision's row.

    Attributes:
        seq: its place in the log.
        trail: everything on record of it.
        paces: where the paced budgets stood after it; number: their place in the order of writing.
    """

    seq: int
    trail: Trail
    paces: tuple[PaceRecord, ...]
    number: int

    def add_to(self, tally: Tally) -> None:
        """Adds what it taught and spent."""
        tally.add(self.trail, self.paces, self.number)


class Stretch(NamedTuple):
    """Some rows of a stretch of the log.

    Attributes:
        rows: those that were looked for.
        upto: the place where the stretch ends.
        is_last: there is nothing after the place where it began.
    """

    rows: list[Logged]
    upto: int
    is_last: bool


def find(connection: sqlite3.Connection, decision_id: str) -> Logged | None:
    """A decision by its id; None where it is not on record."""
    found = _logged(connection, f"{_ROW} WHERE decision_id = ?", decision_id)
    return found[0] if found else None


def named(connection: sqlite3.Connection, by: Named, limit: int) -> list[Logged]:
    """The newest decisions that their caller named so, newest first."""
    column, name = ("request_id", by.request_id) if by.request_id else ("session_id", by.session_id)
    query = f"SELECT seq FROM decision WHERE {column} = ? AND (? IS NULL OR {_TENANT} = ?) ORDER BY seq DESC LIMIT ?"
    places = connection.execute(query, (name, by.tenant, by.tenant, limit)).fetchall()
    return [row for place in places for row in _logged(connection, f"{_ROW} WHERE seq = ?", *place)]


def page(connection: sqlite3.Connection, after: int) -> list[Logged]:
    """The rows that follow a place in the log, as many as make a page."""
    return _logged(connection, f"{_ROW} WHERE seq > ? ORDER BY seq LIMIT ?", after, PAGE)


def pages(connection: sqlite3.Connection) -> Iterator[Logged]:
    """Every row, in the order of the log."""
    after = 0
    while rows := page(connection, after):
        yield from rows
        after = rows[-1].seq


def newest(connection: sqlite3.Connection, limit: int) -> list[Logged]:
    """The rows that were taken in last, newest first."""
    return _logged(connection, f"{_ROW} ORDER BY seq DESC LIMIT ?", limit)


def settled_before(connection: sqlite3.Connection, before: float) -> list[Logged]:
    """The first decisions of before an instant that have an outcome, as many as make a page."""
    query = f"{_ROW} WHERE seq = ?"
    return [row for seq in _settled_before(connection, before) for row in _logged(connection, query, seq)]


def naming(connection: sqlite3.Connection, text: str, after: int) -> Stretch:
    """The rows of the stretch of the log after a place whose decision holds a text, settled or not."""
    last: int | None = connection.execute(_LAST, (after, STRETCH)).fetchone()[0]
    upto = after if last is None else last
    return Stretch(_logged(connection, f"{_ROW} WHERE {_NAMING}", after, upto, text), upto, is_last=last is None)


def unsettled(connection: sqlite3.Connection) -> list[Dispatch]:
    """Decisions without an outcome, oldest first."""
    listed = connection.execute(_LISTED).fetchall()
    return [dispatch_of(*row) for row in (*listed, *connection.execute(_NOT_LISTED))]


def _settled_before(connection: sqlite3.Connection, before: float) -> list[int]:
    found: list[int] = []
    younger = 0  # rows on end: after so many it is taken that all are
    for seq, at in connection.execute(_SETTLED):
        if at < before:
            found.append(seq)
        younger = 0 if at < before else younger + 1
        if len(found) == PAGE or younger == _DISORDER:
            break
    return found


def _logged(connection: sqlite3.Connection, query: str, *values: object) -> list[Logged]:
    rows = connection.execute(query, values).fetchall()
    if not rows:
        return []
    places = [row[0] for row in rows]
    feedback = _feedback(connection, min(places), max(places))
    return [_row(*row, feedback=tuple(feedback.get(row[0], ()))) for row in rows]


def _row(
    seq: int,
    dispatch: str,
    prompt: bytes | None,
    settlement: str | None,
    number: int | None,
    *,
    feedback: tuple[Feedback, ...],
) -> Logged:
    begun = dispatch_of(dispatch, prompt)
    if settlement is None:
        return Logged(seq, Trail(begun, feedback=feedback), (), 0)
    outcome, charges, paces = settled_of(settlement)
    return Logged(seq, Trail(begun, outcome, charges, feedback), paces, number or 0)


def _feedback(connection: sqlite3.Connection, first: int, last: int) -> dict[int, list[Feedback]]:
    """The judgements of a stretch of the log, in the order in which they came."""
    found: dict[int, list[Feedback]] = {}
    for decision, text in connection.execute(_FEEDBACK, (first, last)):
        found.setdefault(decision, []).append(feedback_of(text))
    return found
