"""What the writer of a log is asked to do, ready to be sent."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

from banditroute.routing.lessons import Lesson
from banditroute.storage.protocol import Charge, PaceRecord

from .driver import Connection

_CHANCE = random.SystemRandom()


class Begin(NamedTuple):
    """Write a decision."""

    decision_id: str
    at: float
    dispatch: str
    prompt: bytes | None


class Settle(NamedTuple):
    """Write an outcome and what it changes; the token tells whether it was this one that was written."""

    decision_id: str
    token: int
    ok: bool
    usd: float
    settlement: str
    lessons: tuple[Lesson, ...]
    charges: tuple[Charge, ...]
    paces: tuple[PaceRecord, ...]


class Judge(NamedTuple):
    """Write a judgement and what it teaches; the token tells whether it was this one that was written."""

    decision_id: str
    token: int
    source: str
    feedback: str
    lesson: Lesson


class Alone(NamedTuple):
    """Something that has a statement or a transaction to itself; done twice, it must be as if done once."""

    work: Callable[[Connection], Awaitable[Any]]


LogOperation = Begin | Settle | Judge
Operation = LogOperation | Alone
Result = Any
"""What came of an operation; an exception is for whoever asked for it, and undoes nothing of its neighbours."""


def new_token() -> int:
    """A number that no other operation has."""
    return _CHANCE.getrandbits(63)
