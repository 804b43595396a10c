"""Metrics as values: a family is a name with its meaning, readings are what it shows at one scrape."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from itertools import accumulate
from typing import Literal, NamedTuple, TypeVar

Kind = Literal["counter", "gauge", "histogram", "summary"]
Labels = tuple[str, ...]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Family:
    """One metric.

    Attributes:
        name: as it is exported, the unit in it.
        kind: what its numbers do: a counter only grows, a summary is a sum and a count.
        help: what it shows, in one sentence.
        labels: by what it is told apart.
    """

    name: str
    kind: Kind
    help: str
    labels: Labels = ()


def counter(name: str, help: str, *labels: str) -> Family:  # noqa: A002 - the format's own word
    """A family whose numbers only grow; its name ends in _total."""
    return Family(name, "counter", help, labels)


def gauge(name: str, help: str, *labels: str) -> Family:  # noqa: A002
    """A family whose numbers are as they are now."""
    return Family(name, "gauge", help, labels)


def histogram(name: str, help: str, *labels: str) -> Family:  # noqa: A002
    """A family that shows how values are spread."""
    return Family(name, "histogram", help, labels)


def summary(name: str, help: str, *labels: str) -> Family:  # noqa: A002
    """A family that shows a sum and of how many."""
    return Family(name, "summary", help, labels)


class Sums(NamedTuple):
    """What a summary shows: a total, and of how many."""

    total: float
    of: int


class Spread:
    """How values are spread over buckets.

    Args:
        bounds: upper bounds of the buckets, ascending, each in its bucket; above the last there is one more.
    """

    __slots__ = ("_bounds", "_counts", "_total")

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self._bounds = bounds
        self._counts = [0] * (len(bounds) + 1)
        self._total = 0.0

    def add(self, value: float) -> None:
        """Counts a value."""
        self._counts[bisect_left(self._bounds, value)] += 1
        self._total += value

    @property
    def total(self) -> float:
        """The sum of all values."""
        return self._total

    def __bool__(self) -> bool:
        return any(self._counts)

    @property
    def cumulative(self) -> list[tuple[float, int]]:
        """For each bound, infinity behind the last, how many values were not above it."""
        return list(zip((*self._bounds, float("inf")), accumulate(self._counts), strict=True))


Value = float | Sums | Spread


class Readings(NamedTuple):
    """What one family shows now: labels (in the family's order) with what stands under them."""

    family: Family
    rows: Iterable[tuple[Labels, Value]]


def only(family: Family, value: Value) -> Readings:
    """The readings of a family without labels."""
    return Readings(family, [((), value)])


Columns = tuple[tuple[Family, Callable[[T], float]], ...]
"""Families that each show one number of the same things."""


def table(columns: Columns[T], things: Collection[tuple[Labels, T]]) -> Iterator[Readings]:
    """The readings of every column, for things with their labels."""
    for family, of in columns:
        yield Readings(family, [(labels, of(thing)) for labels, thing in things])
