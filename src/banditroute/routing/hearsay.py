"""Sums that others told, brought to the rows that a process keeps: models may have had other names when seen."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from banditroute.learning.evidence import Evidence, merged

from .lessons import Edge

_ROUNDING = 1e-9  # of sums that were added up in another order


class Told(NamedTuple):
    """What was told of one row: all that is known of it, or where not whole, what is to be added."""

    row: Edge
    sums: Evidence
    whole: bool


class Hearsay:
    """Remembers what was told of models under former names, as a row has the sums under all of them.

    Args:
        today: the row that an edge belongs to: the same edge, under the name that its model has now.
    """

    def __init__(self, today: Callable[[Edge], Edge]) -> None:
        self._today = today
        self._former: dict[Edge, Evidence] = {}

    def told(self, evidence: Mapping[Edge, Evidence], own: Mapping[Edge, Evidence], *, everything: bool) -> list[Told]:
        """What becomes of each row.

        Args:
            evidence: whole sums of edges.
            own: what this process has added since they were added up.
            everything: whether edges that are not among them have no sums.
        """
        if everything:
            self._former.clear()
        since = self._by_row(own)
        found: list[Told] = []
        for edge, sums in evidence.items():
            row = self._today(edge)
            if row == edge:
                continue
            before = self._former.get(edge)
            self._former[edge] = sums
            if row not in evidence and not everything:
                found.append(Told(row, sums if before is None else _difference(sums, before), whole=False))
        rows = dict.fromkeys(row for edge in evidence if (row := self._today(edge)) == edge or everything)
        earlier = self._by_row(self._former)
        for row in rows:
            parts = [sums[row] for sums in (evidence, earlier, since) if row in sums]
            found.append(Told(row, merged(*parts), whole=True))
        return found

    def _by_row(self, sums: Mapping[Edge, Evidence]) -> dict[Edge, Evidence]:
        found: dict[Edge, Evidence] = {}
        for edge, each in sums.items():
            row = self._today(edge)
            found[row] = merged(found[row], each) if row in found else each
        return found


def change(before: Evidence, after: Evidence) -> Evidence | None:
    """What was added to sums; None where it is no more than rounding."""
    told = (after.n, before.n), (after.s, before.s), (after.b[..., 0], before.b[..., 0])  # whatever is added moves one
    if all(abs(float(new - old)) <= _ROUNDING * (1.0 + abs(float(new))) for new, old in told):
        return None
    return _difference(after, before)


def _difference(after: Evidence, before: Evidence) -> Evidence:
    return Evidence(*(new - old for new, old in zip(after, before, strict=True)))
