"""What the writer of a database is asked to do, ready to be bound to statements."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import NamedTuple

from banditroute.routing.lessons import Lesson

from .protocol import Charge, PaceRecord
from .sharing import News, Report


class Begin(NamedTuple):
    """Write a decision."""

    decision_id: str
    at: float
    dispatch: str
    prompt: bytes | None
    request_id: str | None = None
    session_id: str | None = None


class Settle(NamedTuple):
    """Write an outcome and what it changes."""

    decision_id: str
    settlement: str
    lessons: tuple[Lesson, ...]
    charges: tuple[Charge, ...]
    paces: tuple[PaceRecord, ...]
    cost_usd: float


class Judge(NamedTuple):
    """Write a judgement and what it teaches."""

    decision_id: str
    source: str
    feedback: str
    lesson: Lesson


class Flush(NamedTuple):
    """Write nothing; be done when everything before is."""


class Exchange(NamedTuple):
    """Tell the others and hear of them, in a transaction of its own."""

    report: Report


class Alone(NamedTuple):
    """Something rare that has a transaction to itself."""

    work: Callable[[sqlite3.Connection], int]


LogOperation = Begin | Settle | Judge | Flush
Operation = LogOperation | Exchange | Alone
Result = bool | int | News | Exception
"""What came of an operation; an exception is for whoever asked for it, and undoes nothing of its neighbours."""
