"""Bringing the sums up to the log, many rows at once: cheaper than each by itself.

The log is written first. Rows above the marks are in no sum yet, so what the log amounts to are the sums and what those
rows add. Sums and marks move in one transaction, which is why a crash can neither lose nor double a row.
"""

from __future__ import annotations

import sqlite3
from typing import NamedTuple

from banditroute.routing.lessons import lesson_in, lessons_in

from .codec import context_of, feedback_of, settled_of
from .pending import Gap, Pending, in_order
from .protocol import State
from .reading import pages
from .tally import Tally
from .totals import RETIRED, Totals

_SPARED = 2048  # the newest decisions are not listed yet when they have no outcome: most will have one soon

_TOPS = (
    "SELECT outcome, feedback, decision, "
    "max(outcome, coalesce((SELECT max(number) FROM outcome), 0)), "
    "max(feedback, coalesce((SELECT max(seq) FROM feedback), 0)), "
    "max(decision, coalesce((SELECT max(seq) FROM decision), 0)) FROM folded"
)
_MOVE = "UPDATE folded SET outcome = ?, feedback = ?, decision = ?"
_LIST = (
    "INSERT INTO unsettled SELECT seq FROM decision WHERE seq > ? AND seq <= ? "
    "AND NOT EXISTS (SELECT 1 FROM outcome WHERE decision = seq)"
)
_OUTCOMES = (
    "SELECT number, dispatch, settlement FROM outcome CROSS JOIN decision ON decision.seq = outcome.decision "
    "WHERE number BETWEEN ? AND ? ORDER BY number"
)
_JUDGEMENTS = (
    "SELECT dispatch, settlement, feedback FROM feedback CROSS JOIN decision ON decision.seq = feedback.decision "
    "CROSS JOIN outcome ON outcome.decision = feedback.decision "
    "WHERE feedback.seq BETWEEN ? AND ? ORDER BY feedback.seq"
)


class Marks(NamedTuple):
    """A place in each part of the log.

    Attributes:
        outcome: the number of an outcome; feedback: of a judgement; decision: of a decision.
    """

    outcome: int
    feedback: int
    decision: int


class Places(NamedTuple):
    """How far a file has come.

    Attributes:
        folded: outcomes and judgements up to here are in the sums, and decisions up to here are in the table of those
            that are unsettled, where they are that.
        last: the numbers that were given last. They are never given again, whatever has been pruned since.
    """

    folded: Marks
    last: Marks


def places(connection: sqlite3.Connection) -> Places:
    """How far the file has come."""
    found = connection.execute(_TOPS).fetchone()
    return Places(Marks(*found[:3]), Marks(*found[3:]))


def state_of(connection: sqlite3.Connection) -> State:
    """What the log amounts to, by the sums and the rows that are in none yet.

    Raises:
        StoreError: a row is damaged.
    """
    tally = Totals(connection).load()
    tally.merge(unfolded(connection, places(connection), Pending()))
    return tally.state()


def rebuilt_of(connection: sqlite3.Connection) -> State:
    """The same, computed anew from every row and from the sums of those that are gone.

    Raises:
        StoreError: a row is damaged.
    """
    tally = Totals(connection, RETIRED).load()
    for logged in pages(connection):
        logged.add_to(tally)
    return tally.state()


def fold(connection: sqlite3.Connection) -> None:
    """Brings the sums up to the log, inside a transaction.

    Raises:
        StoreError: a row is damaged.
    """
    at = places(connection)
    add(connection, unfolded(connection, at, Pending()), at)


def add(connection: sqlite3.Connection, tally: Tally, at: Places) -> Marks:
    """Adds what the rows above the marks amount to, and moves the marks up; where they are then."""
    Totals(connection).add(tally)
    return _move(connection, at)


def replace(connection: sqlite3.Connection, state: State) -> None:
    """Puts another state in the place of what the log amounts to so far, inside a transaction."""
    at = places(connection)
    Totals(connection).replace(Tally.of(state, at.last.outcome))
    _move(connection, at)


def unfolded(connection: sqlite3.Connection, at: Places, known: Pending) -> Tally:
    """What the rows above the marks amount to.

    Args:
        connection: to the file.
        at: how far the file has come.
        known: those of them that need not be read, and no others.

    Raises:
        StoreError: a row is damaged.
    """
    tally = Tally()
    for each in in_order(known.settled, at.folded.outcome, at.last.outcome):
        if isinstance(each, Gap):
            _add_outcomes(connection, each, tally)
        else:
            known.add_outcome(each, tally)
    for each in in_order(known.judged, at.folded.feedback, at.last.feedback):
        if isinstance(each, Gap):
            _add_judgements(connection, each, tally)
        else:
            known.add_judgement(each, tally)
    return tally


def _add_outcomes(connection: sqlite3.Connection, gap: Gap, tally: Tally) -> None:
    for number, dispatch, settlement in connection.execute(_OUTCOMES, gap):
        outcome, charges, paces = settled_of(settlement)
        lessons = lessons_in(context_of(dispatch), outcome)
        tally.check(lessons)
        tally.learn(lessons)
        tally.charge(charges)
        tally.pace(paces, number)
        tally.pay(paces, outcome.cost_usd)


def _add_judgements(connection: sqlite3.Connection, gap: Gap, tally: Tally) -> None:
    for dispatch, settlement, feedback in connection.execute(_JUDGEMENTS, gap):
        lesson = lesson_in(context_of(dispatch), settled_of(settlement).outcome, feedback_of(feedback))
        tally.check((lesson,))
        tally.learn((lesson,))


def _move(connection: sqlite3.Connection, at: Places) -> Marks:
    listed, upto = at.folded.decision, at.last.decision - _SPARED
    if upto >= listed + _SPARED:
        connection.execute(_LIST, (listed, upto))
        listed = upto
    marks = Marks(at.last.outcome, at.last.feedback, listed)
    connection.execute(_MOVE, marks)
    return marks
