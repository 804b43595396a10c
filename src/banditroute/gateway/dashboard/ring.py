"""What happened lately, in stretches of equal length of which only the newest are kept."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
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

    def add(self, other: Stretch) -> None:
        """Takes in what happened in a later stretch."""
        self.requests += other.requests
        self.failed += other.failed
        self.spent_usd += other.spent_usd
        self.judging_usd += other.judging_usd
        for model, tally in other.models.items():
            self.of(model).add(tally)
        for edge, answers in other.edges.items():
            self.edges[edge] = self.edges.get(edge, 0) + answers
        self.marks = self.marks or other.marks

    def of(self, model: str) -> Tally:
        """A model's tally."""
        tally = self.models.get(model)
        if tally is None:
            tally = self.models[model] = Tally()
        return tally


class Ring:
    """The newest stretches; those that are no longer among them go on into a coarser ring.

    Args:
        name: what people call the time that they span.
        width_s: how long a stretch is.
        most: how many are kept.
        coarser: a ring of stretches that these fit into; None = what is not kept is forgotten.
    """

    def __init__(self, name: str, width_s: float, most: int, coarser: Ring | None = None) -> None:
        self.name = name
        self.width_s = width_s
        self.most = most
        self._coarser = coarser
        self._finer: Ring | None = None
        self._stretches: dict[int, Stretch] = {}
        self._newest = 0
        if coarser is not None:
            coarser._finer = self

    @property
    def length_s(self) -> float:
        """How long the time is that it spans."""
        return self.most * self.width_s

    def at(self, instant: float) -> Stretch | None:
        """The stretch that counts an instant, seconds since the epoch; None where it is too long ago for any ring."""
        place = int(instant // self.width_s)
        found = self._stretches.get(place)
        if found is not None:
            return found
        if place <= self._newest - self.most:
            return None if self._coarser is None else self._coarser.at(instant)
        found = self._stretches[place] = Stretch()
        if place > self._newest:
            self._newest = place
            self._pass_on()
        return found

    def span(self, now: float) -> list[tuple[float, Stretch]]:
        """The stretches in which anything happened, oldest first, each with the instant at which it begins."""
        oldest, merged = int(now // self.width_s) - self.most, dict[int, Stretch]()
        for instant, stretch in self._all():
            place = int(instant // self.width_s)
            if place > oldest:
                merged.setdefault(place, Stretch()).add(stretch)
        return [(place * self.width_s, merged[place]) for place in sorted(merged)]

    def _all(self) -> Iterator[tuple[float, Stretch]]:
        """Its own stretches and those of finer rings, of which it knows nothing yet."""
        yield from ((place * self.width_s, self._stretches[place]) for place in sorted(self._stretches))
        if self._finer is not None:
            yield from self._finer._all()

    def _pass_on(self) -> None:
        for place in sorted(each for each in self._stretches if each <= self._newest - self.most):
            stretch = self._stretches.pop(place)
            into = None if self._coarser is None else self._coarser.at(place * self.width_s)
            if into is not None:
                into.add(stretch)


def rings(*settings: tuple[str, float, int]) -> tuple[Ring, ...]:
    """Rings, each of stretches that fit into those of the next: name, width in seconds, and how many are kept."""
    made: list[Ring] = []
    for name, width_s, most in reversed(settings):
        made.append(Ring(name, width_s, most, made[-1] if made else None))
    return tuple(reversed(made))
