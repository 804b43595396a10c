"""How often a guard was asked and how often it bent what would have been decided: kept for who looks, over restarts."""

from __future__ import annotations

from collections.abc import Iterable

from banditroute.routing.pacers import PaceRecord

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

    def restore(self, records: Iterable[PaceRecord]) -> None:
        """Goes on from the record of its name, where there is one."""
        for record in records:
            if record.budget == self.name:
                self.resume(record)
