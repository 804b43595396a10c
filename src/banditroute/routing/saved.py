"""A saved policy: what was measured beforehand, from which a router starts warm; made from lessons, as beliefs are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np

from banditroute.learning.evidence import Evidence, empty, observe_many
from banditroute.learning.warm import capped

from .lessons import SIGNALS, Edge, Lesson

_NO_PRICES: Mapping[str, SavedPrice] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class SavedPrice:
    """Where a paced budget begins.

    Attributes:
        usd_per_request: the budget that the price is for.
        log_price: log of the shadow price.
    """

    usd_per_request: float
    log_price: float


@dataclass(frozen=True, slots=True)
class SavedPolicy:
    """What a router begins with.

    Attributes:
        source: what it was made from, for people.
        encoder_version: which encoder made the features.
        width: X, inputs of the linear models.
        ess: observations that no edge is worth more than.
        evidence: sums of every edge, each over (X, X), (X,), () and ().
        prices: of paced budgets, by name.
    """

    source: str
    encoder_version: str
    width: int
    ess: float
    evidence: Mapping[Edge, Evidence]
    prices: Mapping[str, SavedPrice] = field(default_factory=lambda: _NO_PRICES)

    @property
    def observations(self) -> float:
        """How many judged answers it is worth."""
        return sum(float(sums.n) for edge, sums in self.evidence.items() if edge.signal == SIGNALS[0])


def saved_policy(lessons: Iterable[Lesson], encoder_version: str, width: int, ess: float, source: str) -> SavedPolicy:
    """The policy that lessons amount to, none of its edges worth more than `ess` observations."""
    by_edge: dict[tuple[str, str], list[Lesson]] = {}
    for lesson in lessons:
        by_edge.setdefault((lesson.task, lesson.model), []).append(lesson)
    evidence = {
        Edge(task, model, signal, encoder_version): capped(sums, ess)
        for (task, model), mine in by_edge.items()
        for signal, sums in zip(SIGNALS, _sums(mine, width), strict=True)
        if sums.n > 0
    }
    return SavedPolicy(source, encoder_version, width, ess, evidence)


def _sums(lessons: Sequence[Lesson], width: int) -> list[Evidence]:
    """The evidence of one edge for each signal."""
    x = np.array([lesson.x for lesson in lessons]).reshape(len(lessons), width)
    weight = np.array([lesson.weight for lesson in lessons])
    values = np.array([[np.nan if v is None else v for v in lesson.values] for lesson in lessons])
    found: list[Evidence] = []
    for y in values.T:
        known = np.isfinite(y)
        sums = empty((1,), width)
        observe_many(sums, (np.zeros(int(known.sum()), dtype=np.int64),), x[known], y[known], weight[known])
        found.append(Evidence(*(each[0] for each in sums)))
    return found
