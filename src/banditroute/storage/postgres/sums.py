"""Tallies as the arguments of functions in the database."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from banditroute.routing.lessons import Edge
from banditroute.storage.codec import pace_json
from banditroute.storage.packing import width_of
from banditroute.storage.tally import Tally

Floats = NDArray[np.float64]
EdgesRow = tuple[list[str], list[str], list[str], list[str], list[int], list[bytes]]
SumsRow = tuple[Any, ...]

NO_SUMS: SumsRow = (([], [], [], [], [], []), *([] for _ in range(9)))


def edges_row(edges: Iterable[tuple[Edge, int]], sums: Iterable[bytes] = ()) -> EdgesRow:
    """Edges with the widths of their inputs, and sums if there are any."""
    listed = list(edges)
    tasks, models, signals, versions = ([edge[place] for edge, _ in listed] for place in range(4))
    return tasks, models, signals, versions, [width for _, width in listed], list(sums)


def touched(tally: Tally) -> EdgesRow:
    """The edges that a tally adds to."""
    return edges_row((edge, width_of(sums)) for edge, sums in tally.evidence.items())


def added(tally: Tally, known: Sequence[bytes | None]) -> SumsRow:
    """A tally on top of what is known of the edges that it adds to."""
    evidence = [
        (edge, more if before is None else numbers_of(before) + more)
        for (edge, more), before in zip(tally.evidence.items(), known, strict=True)
    ]
    edges = edges_row(((edge, width_of(sums)) for edge, sums in evidence), (sums.tobytes() for _, sums in evidence))
    windows, paces, bills = list(tally.spent_usd), list(tally.paces), list(tally.paid)
    return (
        edges,
        [window.budget for window in windows],
        [window.period for window in windows],
        [float(tally.spent_usd[window]) for window in windows],
        paces,
        [tally.paces[budget].number for budget in paces],
        [pace_json(tally.paces[budget].record) for budget in paces],
        bills,
        [tally.paid[budget].requests for budget in bills],
        [tally.paid[budget].usd for budget in bills],
    )


def numbers_of(sums: bytes) -> Floats:
    """Evidence as it is written.

    Raises:
        StoreError: it is damaged.
    """
    numbers = np.frombuffer(sums, dtype="<f8", count=len(sums) // 8).astype(np.float64, copy=False)
    width_of(numbers)
    return numbers
