"""What happened lately, in stretches of equal length of which only the newest are kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple


@dataclass(slots=True)
class Tally:
    """What one model did in a stretch.

    Attributes:
        answers: that it gave; failed: calls of it that failed.
        spent_usd: dollars of the requests that it answered; seconds_s: what they took, added up.
        judged: answers that were judged; quality: their first judgements, added up.
    """

    answers: int = 0
    failed: int = 0
    spent_usd: float = 0.0
    seconds_s: float = 0.0
    judged: int = 0
    quality: float = 0.0

    def add(self, other: Tally) -> None:
        """Takes in what it did in another stretch."""
        self.answers += other.answers
        self.failed += other.failed
        self.spent_usd += other.spent_usd
        self.seconds_s += other.seconds_s
        self.judged += other.judged
        self.quality += other.quality


class Mark(NamedTuple):
    """Where one budget stood.

    Attributes:
        at: when, seconds since the epoch.
        spent: of a cap, dollars spent in its window; of a pace, its running mean of spend over budget.
        shadow_price: quality points that one budget of dollars had to earn.
        period: of a cap, the window's name.
    """

    at: float
    spent: float
    shadow_price: float
    period: str = ""


@dataclass(slots=True)
class Stretch:
    """What happened in one stretch of time; of judges' calls only their dollars count.

    Attributes:
        requests: that were answered or could not be; failed: those that could not.
        spent_usd: dollars of answering; judging_usd: of judging.
        models: what each model did; edges: answers by task class and model.
        marks: where each budget stood when its first request was settled.
    """

    requests: int = 0
    failed: int = 0
    spent_usd: float = 0.0
    judging_usd: float = 0.0
    models: dict[str, Tally] = field(default_factory=dict[str, Tally])
    edges: dict[tuple[str, str], int] = field(default_factory=dict[tuple[str, str], int])
    marks: Mapping[str, Mark] = field(default_factory=dict[str, Mark])

    def of(self, model: str) -> Tally:
        """A model's tally."""
        tally = self.models.get(model)
        if tally is None:
            tally = self.models[model] = Tally()
        return tally


class Ring:
    """The newest stretches.

    Args:
        name: what people call the time that they span.
        width_s: how long a stretch is.
        most: how many are kept.
    """

    def __init__(self, name: str, width_s: float, most: int) -> None:
        self.name = name
        self.width_s = width_s
        self.most = most
        self._stretches: dict[int, Stretch] = {}
        self._newest = 0

    def at(self, instant: float) -> Stretch | None:
        """The stretch of an instant, seconds since the epoch; None where it is so long ago that it is not kept."""
        place = int(instant // self.width_s)
        found = self._stretches.get(place)
        if found is not None:
            return found
        if place <= self._newest - self.most:
            return None
        self._newest = max(self._newest, place)
        found = self._stretches[place] = Stretch()
        if len(self._stretches) > self.most:
            self._forget(self._newest)
        return found

    def span(self, now: float) -> list[tuple[float, Stretch]]:
        """The stretches in which anything happened, oldest first, each with the instant at which it begins."""
        oldest = int(now // self.width_s) - self.most
        return [(place * self.width_s, self._stretches[place]) for place in sorted(self._stretches) if place > oldest]

    def _forget(self, newest: int) -> None:
        for place in [each for each in self._stretches if each <= newest - self.most]:
            del self._stretches[place]
