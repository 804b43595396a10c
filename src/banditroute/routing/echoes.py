"""What a process has taken in that sums which are added up elsewhere may lack: so that nothing counts twice there.

Sums that are asked for include what was asked to be written before, and nothing later. When they come, what was not
among them is added again. What is taken in only now though it was asked to be written before is among them already.
Where they do not come, the next ones have it all, so no more is remembered than what came since they were asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from banditroute.learning.evidence import Evidence, merged

from .lessons import Edge, Lesson


@dataclass(slots=True)
class Echo:
    """Something that was taken in.

    Attributes:
        sums: by edge.
        asked_in: the turn in which it was asked to be written; None = it was not yet.
    """

    sums: Mapping[Edge, Evidence]
    asked_in: int | None = None


class Echoes:
    """Remembers it for as long as it takes: one turn after another, each heard of before the next; no clock.

    Attributes:
        turn: how many times sums were asked for.
    """

    def __init__(self) -> None:
        self.turn = 0
        self._heard_in = 0  # the turn whose sums came last
        self._lessons: list[Lesson] = []  # that were asked to be written in this turn
        self._moves: list[Echo] = []

    def ask(self) -> None:
        """Begins a turn: sums are asked for now, which have all that was asked to be written by now."""
        self.turn += 1
        self._lessons.clear()
        self._moves = [echo for echo in self._moves if echo.asked_in is None]

    def is_among(self, asked_in: int) -> bool:
        """Whether what was asked to be written in a turn is among the sums that came last."""
        return asked_in < self._heard_in

    def taught(self, lessons: Iterable[Lesson], asked_in: int) -> None:
        """Remembers lessons that were taken in, and asked to be written in that turn."""
        if asked_in == self.turn:
            self._lessons.extend(lessons)

    def moved(self, sums: Mapping[Edge, Evidence]) -> Echo:
        """Remembers what was added to evidence; tell it in which turn that was asked to be written."""
        echo = Echo(sums)
        self._moves.append(echo)
        return echo

    def heard(self) -> tuple[list[Lesson], list[Mapping[Edge, Evidence]]]:
        """What the sums that were asked for in this turn, and came now, do not have."""
        self._heard_in = self.turn
        return list(self._lessons), [echo.sums for echo in self._moves]


def added_up(parts: Iterable[Mapping[Edge, Evidence]]) -> dict[Edge, Evidence]:
    """The sums of all parts, by edge."""
    found: dict[Edge, Evidence] = {}
    for part in parts:
        for edge, sums in part.items():
            found[edge] = merged(found[edge], sums) if edge in found else sums
    return found
