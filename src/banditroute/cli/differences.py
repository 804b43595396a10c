"""How far the state that a store keeps is from the one that its log amounts to."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from banditroute.routing.lessons import SIGNALS
from banditroute.routing.pacers import PaceRecord
from banditroute.storage.protocol import Edge, Evidence, State
from banditroute.storage.rebuilding import Comparison

SAME = 1e-9
"""Relative difference up to which two sums of the same numbers, added in another order, count as equal."""

_AN_OBSERVATION = 1.0  # where alarms have taken all of an edge's evidence away, what is left is the rounding of it


class Difference(NamedTuple):
    """How far one part of the state is from what the log says.

    Attributes:
        part: evidence, spending or pace; name: the signal, the window, or the budget.
        compared: how many edges were compared, or one window or budget.
        relative: the largest difference over the size of what differs: 0 = equal, 1 = one of them is without it.
    """

    part: str
    name: str
    compared: int
    relative: float

    @property
    def differs(self) -> bool:
        """Whether it is more than another order of adding makes."""
        return not self.relative <= SAME


def differences(states: Comparison) -> tuple[Difference, ...]:
    """One for each signal, each window and each paced budget."""
    return (*_evidence(*states), *_spending(*states), *_paces(*states))


class EdgeApart(NamedTuple):
    """An edge whose sums are not what the log says, and by how much: see `Difference.relative`."""

    edge: Edge
    relative: float


def edges_apart(states: Comparison) -> tuple[EdgeApart, ...]:
    """The edges whose sums differ by more than another order of adding makes, the worst first."""
    kept, rebuilt = states.kept.evidence, states.rebuilt.evidence
    apart = (EdgeApart(edge, _sums_apart(edge, kept, rebuilt)) for edge in {**kept, **rebuilt})
    return tuple(sorted((each for each in apart if not each.relative <= SAME), key=lambda each: -each.relative))


def _evidence(kept: State, rebuilt: State) -> Iterator[Difference]:
    for signal in SIGNALS:
        edges = [edge for edge in {**kept.evidence, **rebuilt.evidence} if edge.signal == signal]
        apart = [_sums_apart(edge, kept.evidence, rebuilt.evidence) for edge in edges]
        yield Difference("evidence", signal, len(edges), max(apart, default=0.0))


def _sums_apart(edge: Edge, kept: Mapping[Edge, Evidence], rebuilt: Mapping[Edge, Evidence]) -> float:
    mine, theirs = kept.get(edge), rebuilt.get(edge)
    if mine is None or theirs is None:
        present = mine if mine is not None else theirs
        return 0.0 if present is None or not float(present.n) else 1.0  # an edge that saw nothing is as good as none
    return max(_apart(a, b, least=_AN_OBSERVATION) for a, b in zip(mine, theirs, strict=True))


def _spending(kept: State, rebuilt: State) -> Iterator[Difference]:
    for window in sorted({*kept.spent_usd, *rebuilt.spent_usd}):
        usd = kept.spent_usd.get(window, 0.0), rebuilt.spent_usd.get(window, 0.0)
        yield Difference("spending", f"{window.budget} {window.period}", 1, _apart(*usd))


def _paces(kept: State, rebuilt: State) -> Iterator[Difference]:
    for budget in sorted({*kept.paces, *rebuilt.paces}):
        yield Difference("pace", budget, 1, _pace_apart(kept.paces.get(budget), rebuilt.paces.get(budget)))


def _pace_apart(mine: PaceRecord | None, theirs: PaceRecord | None) -> float:
    if mine is None or theirs is None:
        return 1.0
    return max(_apart(a, b) for a, b in zip(_numbers(mine), _numbers(theirs), strict=True))


def _numbers(pace: PaceRecord) -> tuple[float, ...]:
    return (pace.log_price, pace.spend, pace.anchor, pace.level, float(pace.requests))


def _apart(mine: ArrayLike, theirs: ArrayLike, least: float = 0.0) -> float:
    """The largest difference over the largest number, or over the least; 1 where the shapes have nothing in common."""
    a, b = np.asarray(mine, dtype=float), np.asarray(theirs, dtype=float)
    if a.shape != b.shape:
        return 1.0
    if np.array_equal(a, b, equal_nan=True):
        return 0.0
    size = max(np.abs(a).max(), np.abs(b).max(), least)
    return float(np.abs(a - b).max() / size)
