"""How often a guard was asked and how often it bent what would have been decided: kept for who looks, over restarts."""

from __future__ import annotations

from collections.abc import Sequence

from banditroute.records import Context, Decision
from banditroute.routing.paced import PaceRecord
from banditroute.routing.rules import Rule, Situation

GUARDS = "guard/"
"""What the names begin with under which guards' records are kept."""


class Count:
    """Decisions that were drawn under a guard, and those of them that it bent.

    Args:
        name: the guard's, unique.
    """

    def __init__(self, name: str) -> None:
        self.name = GUARDS + name
        self.decisions = 0
        self.bent = 0
        self._asked: Context | None = None

    def ask(self, situation: Situation) -> None:
        """Takes in that the guard is asked about a decision."""
        self._asked = situation.context

    def is_of(self, decision: Decision) -> bool:
        """Whether a decision is the one that the guard was asked about last, and its to bend.

        Judges' calls, those that a cap leaves to the cheapest model, and those of before a reload are not.
        """
        return decision.context is self._asked and not decision.pinned

    def add(self, *, bent: bool) -> None:
        """Takes in one decision."""
        self.decisions += 1
        self.bent += bent

    def record(self, first: float = 0.0, second: float = 0.0, third: float = 0.0) -> PaceRecord:
        """The count, with three numbers of the guard's own."""
        return PaceRecord(self.name, first, second, third, float(self.bent), self.decisions)

    def resume(self, record: PaceRecord) -> None:
        """Goes on from a record."""
        self.decisions, self.bent = record.requests, int(record.level)


class Counted(Rule):
    """A guard of which nothing but its count outlives the process.

    Args:
        name: the guard's, unique.
    """

    def __init__(self, name: str) -> None:
        self._count = Count(name)

    def records(self) -> tuple[PaceRecord, ...]:
        """The count."""
        return (self._count.record(),)

    def restore(self, records: Sequence[PaceRecord]) -> None:
        """Goes on counting."""
        for record in records:
            if record.budget == self._count.name:
                self._count.resume(record)
