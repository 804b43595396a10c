"""What a log amounts to, added up row by row: evidence by edge, dollars by window, paces, what they have paid for."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from banditroute.routing.lessons import Edge, Lesson, lesson_of, lessons_of

from .packing import packed, sums_of, unpacked, width_of
from .protocol import Charge, PaceRecord, Paid, State, Trail, Window
from .widths import Widths, check_width

Floats = NDArray[np.float64]

_FOLD_AT = 256  # lessons that are kept before they are added up, many at once being cheaper than each


class LoggedPace(NamedTuple):
    """A budget's pace, and its number in the order of writing: the highest is the last."""

    number: int
    record: PaceRecord


class Tally:
    """Sums that grow with the log; they may start from those of rows that are gone.

    Args:
        evidence: packed, by edge.
        spent_usd: by window.
        paces: by budget.
        paid: by budget.
    """

    def __init__(
        self,
        evidence: Mapping[Edge, Floats] | None = None,
        spent_usd: Mapping[Window, float] | None = None,
        paces: Mapping[str, LoggedPace] | None = None,
        paid: Mapping[str, Paid] | None = None,
    ) -> None:
        self._evidence = {edge: sums.copy() for edge, sums in (evidence or {}).items()}
        self.spent_usd = dict(spent_usd or {})
        self.paces = dict(paces or {})
        self.paid = dict(paid or {})
        self._widths = Widths(self._width)
        self._lessons: list[Lesson] = []

    @classmethod
    def of(cls, state: State, number: int = 0) -> Tally:
        """The sums of a state; its paces get that number."""
        evidence = {edge: packed(sums) for edge, sums in state.evidence.items()}
        paces = {name: LoggedPace(number, pace) for name, pace in state.paces.items()}
        return cls(evidence, state.spent_usd, paces, state.paid)

    @property
    def evidence(self) -> Mapping[Edge, Floats]:
        """The sums of every edge, packed."""
        self._fold()
        return self._evidence

    def check(self, lessons: Collection[Lesson]) -> None:
        """Makes sure that lessons can be added.

        Raises:
            StoreError: one has inputs of another width than those that its edge has seen.
        """
        self._widths.check(lessons)

    def check_alike(self, more: Tally) -> None:
        """Makes sure that another tally can be added.

        Raises:
            StoreError: it has inputs of another width than those that an edge has seen.
        """
        for edge, sums in more.evidence.items():
            if (known := self._width(edge)) is not None:
                check_width(edge, known, width_of(sums))

    def learn(self, lessons: Collection[Lesson]) -> None:
        """Adds lessons that were checked."""
        self._widths.expect(lessons)
        self._lessons.extend(lessons)
        if len(self._lessons) >= _FOLD_AT:
            self._fold()

    def charge(self, charges: Iterable[Charge]) -> None:
        """Adds what was spent."""
        for charge in charges:
            self.spent_usd[charge.window] = self.spent_usd.get(charge.window, 0.0) + charge.usd

    def pace(self, paces: Iterable[PaceRecord], number: int) -> None:
        """Takes in paces, where none that is known was written later."""
        for record in paces:
            known = self.paces.get(record.budget)
            if known is None or known.number <= number:
                self.paces[record.budget] = LoggedPace(number, record)

    def pay(self, paces: Iterable[PaceRecord], cost_usd: float) -> None:
        """Counts one request, and what it cost, for the budgets that it moved."""
        paid = Paid(1, cost_usd if math.isfinite(cost_usd) else 0.0)
        for record in paces:
            self._pay(record.budget, paid)

    def add(self, trail: Trail, paces: Iterable[PaceRecord] = (), number: int = 0) -> None:
        """Adds everything on record of a decision.

        Raises:
            StoreError: it does not go together with what was added before.
        """
        lessons = taught_by(trail)
        self.check(lessons)
        self.learn(lessons)
        self.charge(trail.charges)
        if trail.outcome is not None:
            paces = tuple(paces)
            self.pace(paces, number)
            self.pay(paces, trail.outcome.cost_usd)

    def merge(self, later: Tally) -> None:
        """Adds what another tally holds of the same log."""
        for edge, sums in later.evidence.items():
            self._add(edge, sums)
        for window, usd in later.spent_usd.items():
            self.spent_usd[window] = self.spent_usd.get(window, 0.0) + usd
        for pace in later.paces.values():
            self.pace((pace.record,), pace.number)
        for budget, paid in later.paid.items():
            self._pay(budget, paid)

    def drop(self, budgets: Collection[str]) -> None:
        """Forgets what these budgets have spent, and how they are paced."""
        for window in [each for each in self.spent_usd if each.budget in budgets]:
            del self.spent_usd[window]
        for budget in budgets:
            self.paces.pop(budget, None)
            self.paid.pop(budget, None)

    def state(self) -> State:
        """What it all amounts to."""
        evidence = {edge: unpacked(sums) for edge, sums in self.evidence.items()}
        paces = {name: pace.record for name, pace in self.paces.items()}
        return State(evidence, dict(self.spent_usd), paces, dict(self.paid))

    def _fold(self) -> None:
        for edge, sums in sums_of(self._lessons).items():
            self._add(edge, sums)
        self._lessons.clear()

    def _add(self, edge: Edge, sums: Floats) -> None:
        known = self._evidence.get(edge)
        self._evidence[edge] = sums if known is None else known + sums

    def _pay(self, budget: str, more: Paid) -> None:
        known = self.paid.get(budget, Paid())
        self.paid[budget] = Paid(known.requests + more.requests, known.usd + more.usd)

    def _width(self, edge: Edge) -> int | None:
        return width_of(self._evidence[edge]) if edge in self._evidence else None


def taught_by(trail: Trail) -> list[Lesson]:
    """Everything that a decision taught, by its outcome and by the judgements of it."""
    if trail.outcome is None:
        return []
    outcome = trail.outcome
    judged = (lesson_of(trail.decision, outcome, feedback) for feedback in trail.feedback)
    return [*lessons_of(trail.decision, outcome), *judged]
