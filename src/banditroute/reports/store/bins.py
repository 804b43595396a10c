"""Sums over bins of time, which grow as the log does, so that there are never more than so many."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

_MINUTE_S, _HOUR_S, _DAY_S = 60, 3_600, 86_400
_WIDTHS_S = (
    _MINUTE_S,
    5 * _MINUTE_S,
    15 * _MINUTE_S,
    _HOUR_S,
    3 * _HOUR_S,
    6 * _HOUR_S,
    12 * _HOUR_S,
    _DAY_S,
    7 * _DAY_S,
    28 * _DAY_S,
    364 * _DAY_S,
    3_640 * _DAY_S,
)
"""How long a bin may be; each is a multiple of the one before it, so that bins merge whole."""

MOST_BINS = 96


@dataclass(slots=True)
class Bin:
    """What happened in one stretch of time; calls of judges count for their dollars alone.

    Attributes:
        requests: decisions; answered: those with an outcome; failed: those of them without a whole answer.
        spent_usd: dollars of answering; judging_usd: dollars of judging.
        judged: decisions that were judged; quality_sum: the sum of their mean judgements.
        served: answers by model.
    """

    requests: int = 0
    answered: int = 0
    failed: int = 0
    spent_usd: float = 0.0
    judging_usd: float = 0.0
    judged: int = 0
    quality_sum: float = 0.0
    served: Counter[str] = field(default_factory=Counter[str])

    def add(self, other: Bin) -> None:
        """Takes in what happened in another stretch."""
        self.requests += other.requests
        self.answered += other.answered
        self.failed += other.failed
        self.spent_usd += other.spent_usd
        self.judging_usd += other.judging_usd
        self.judged += other.judged
        self.quality_sum += other.quality_sum
        self.served += other.served


class Bins:
    """Bins of equal length, from midnight UTC on; memory is bounded whatever is added."""

    def __init__(self) -> None:
        self._step = 0
        self._bins: dict[int, Bin] = {}

    @property
    def width_s(self) -> int:
        """How long a bin is."""
        return _WIDTHS_S[self._step]

    def at(self, instant: float) -> Bin:
        """The bin of an instant, seconds since the epoch; bins are made longer where there would be too many."""
        if (known := self._bins.get(int(instant // self.width_s))) is not None:
            return known
        while self._span_with(int(instant // self.width_s)) > MOST_BINS and self._step < len(_WIDTHS_S) - 1:
            self._widen()
        return self._bins.setdefault(int(instant // self.width_s), Bin())

    def span(self) -> tuple[float, list[Bin]]:
        """When the first bin begins, and all bins from there to the last, those without requests too."""
        if not self._bins:
            return 0.0, []
        first, last = min(self._bins), max(self._bins)
        return float(first * self.width_s), [self._bins.get(place, Bin()) for place in range(first, last + 1)]

    def _span_with(self, place: int) -> int:
        return max(place, *self._bins) - min(place, *self._bins) + 1 if self._bins else 1

    def _widen(self) -> None:
        times = _WIDTHS_S[self._step + 1] // self.width_s
        self._step += 1
        finer, self._bins = self._bins, {}
        for place, each in finer.items():
            self._bins.setdefault(place // times, Bin()).add(each)
