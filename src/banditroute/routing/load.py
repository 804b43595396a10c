"""How busy each model is and how much that slows it: calls under way, and what was learned of such times.

Only this process's calls are counted; another's show as a lower concurrency.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from banditroute.learning import load
from banditroute.learning.evidence import Evidence, empty, merged, observe_many

from .hearsay import change
from .lessons import IN_FLIGHT, TIMES, Edge, Lesson
from .signals import Amounts

Floats = NDArray[np.float64]

_FIT_FIRST, _FIT_GROWTH, _FIT_MOST = 8, 0.1, 256  # lessons between two fits: each takes a third of a millisecond


class Busy(NamedTuple):
    """How busy a model was when a call of it began, and what that was believed to mean by the time it ended.

    Attributes:
        in_flight: other calls of it under way.
        slowdown: times the seconds of an idle model that the whole answer was taken to need.
        ttft_slowdown: the same of the first token.
    """

    in_flight: int
    slowdown: float
    ttft_slowdown: float


class _Slowed(NamedTuple):
    """What load does to one model: log slowdowns, and their variances."""

    log_latency: float
    log_latency_var: float
    log_ttft: float
    log_ttft_var: float


_UNSLOWED = _Slowed(0.0, 0.0, 0.0, 0.0)


class Load:
    """The models' load, and what is known of its effect; one owner, no clock, no chance, no I/O.

    Args:
        models: in the order of the arms.
    """

    def __init__(self, models: Iterable[str]) -> None:
        self._arms = {model: arm for arm, model in enumerate(models)}
        self._calls: Counter[str] = Counter()
        self._sums: dict[Edge, Evidence] = {}
        self._pending: list[Lesson] = []
        self._seen, self._fit_at = 0, _FIT_FIRST
        self._laws = [load.unknown(len(self._arms)) for _ in TIMES]
        self._known: dict[tuple[int, int], _Slowed] = {}  # by arm and calls in flight

    @property
    def felt(self) -> bool:
        """Whether any forecast is to be bent: a model is busy, and something is known of what that does."""
        return bool(self._calls) and self._seen > 0

    @property
    def in_flight(self) -> Mapping[str, int]:
        """Calls under way, of models that have any."""
        return self._calls

    def began(self, model: str) -> int:
        """Counts a call that begins; returns how many others of its model are under way.

        Tell `ended` that number when it is over, however it ends.
        """
        others = self._calls[model]
        self._calls[model] = others + 1
        return others

    def ended(self, model: str, others: int) -> Busy:
        """Counts a call that is over; what the load that it began beside is believed to have meant.

        Much may have been learned since it began: a burst teaches what it does while it lasts.
        """
        self._calls[model] -= 1
        if self._calls[model] <= 0:
            del self._calls[model]
        slowed = self._slowed(self._arms[model], others) if model in self._arms else _UNSLOWED
        return Busy(others, math.exp(slowed.log_latency), math.exp(slowed.log_ttft))

    def count_like(self, other: Load) -> None:
        """Counts what the other counts from now on, as whoever decides beside it or after it must."""
        self._calls = other._calls

    def slowed(self, amounts: Amounts) -> Amounts:
        """What models are expected to do now, by what they do when idle."""
        calls = self._calls
        each = [self._slowed(arm, calls[model]) if model in calls else _UNSLOWED for model, arm in self._arms.items()]
        by = np.array(each).T
        return amounts._replace(
            latency_s=amounts.latency_s * np.exp(by[0]),
            log_latency=amounts.log_latency + by[0],
            log_latency_var=amounts.log_latency_var + by[1],
            log_ttft=amounts.log_ttft + by[2],
            log_ttft_var=amounts.log_ttft_var + by[3],
        )

    def take(self, lesson: Lesson) -> None:
        """Takes in how long a call took that began beside others."""
        self._pending.append(lesson)
        self._seen += 1
        if self._seen >= self._fit_at:
            self.refresh()

    def add(self, edge: Edge, sums: Evidence) -> None:
        """Adds what was learned before; `refresh` brings it to bear."""
        self._add(edge, sums)
        self._seen += int(sums.n)

    def put(self, edge: Edge, sums: Evidence) -> Evidence | None:
        """Puts sums in the place of what is known of an edge; the difference, None where it is but rounding.

        `refresh` brings it to bear.
        """
        self._sum_up()
        before = self._sums.get(edge, empty((), sums.b.shape[-1]))
        self._sums[edge] = sums
        difference = change(before, sums)
        self._seen += 0 if difference is None else max(int(difference.n), 0)
        return difference

    @property
    def evidence(self) -> Mapping[Edge, Evidence]:
        """What was learned, by edge."""
        self._sum_up()
        return self._sums

    def refresh(self) -> None:
        """Works out anew how load slows each model, from all that was seen."""
        self._sum_up()
        self._laws = [load.learned(self._stacked(signal)) for signal in TIMES]
        self._known.clear()
        self._fit_at = self._seen + min(max(int(self._seen * _FIT_GROWTH), _FIT_FIRST), _FIT_MOST)

    def concurrency(self) -> dict[str, float]:
        """Calls in flight at which each model is expected to need twice its idle seconds; infinite = none known."""
        return dict(zip(self._arms, load.concurrency(self._laws[0]).tolist(), strict=True))

    def _slowed(self, arm: int, calls: int) -> _Slowed:
        if not calls:
            return _UNSLOWED
        found = self._known.get((arm, calls))
        if found is None:
            beside = np.full(len(self._arms), float(calls))
            each = (load.log_slowdown(law, beside) for law in self._laws)
            found = self._known[arm, calls] = _Slowed(*(float(part[arm]) for slowdown in each for part in slowdown))
        return found

    def _add(self, edge: Edge, sums: Evidence) -> None:
        known = self._sums.get(edge)
        self._sums[edge] = sums if known is None else merged(known, sums)

    def _sum_up(self) -> None:
        """Adds up what was taken in since; many at once, for one by one it would cost more than deciding does."""
        found: dict[Edge, list[tuple[tuple[float, ...], float, float]]] = {}
        for lesson in self._pending:
            for signal, value in zip(TIMES, lesson.times, strict=True):
                if value is not None:
                    edge = Edge(lesson.task, lesson.model, signal, IN_FLIGHT)
                    found.setdefault(edge, []).append((lesson.x, value, lesson.weight))
        self._pending.clear()
        for edge, rows in found.items():
            x, y, weight = (np.array(column) for column in zip(*rows, strict=True))
            sums = empty((1,), load.KNOTS.size)
            observe_many(sums, (np.zeros(y.size, dtype=np.int64),), x, y, weight)
            self._add(edge, Evidence(*(part[0] for part in sums)))

    def _stacked(self, signal: str) -> Evidence:
        """The sums over (classes, models) edges."""
        tasks = {task: i for i, task in enumerate(dict.fromkeys(edge.task for edge in self._sums))}
        stacked = empty((max(len(tasks), 1), len(self._arms)), load.KNOTS.size)
        for edge, sums in self._sums.items():
            if edge.signal == signal and edge.model in self._arms:
                where = tasks[edge.task], self._arms[edge.model]
                for total, each in zip(stacked, sums, strict=True):
                    total[where] += each
        return stacked
