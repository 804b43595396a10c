"""The rows that this process has written and that are in no sum yet."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from banditroute.routing.lessons import Lesson

from .operations import Settle
from .tally import Tally


class Gap(NamedTuple):
    """Rows of others, from the first number to the last."""

    first: int
    last: int


class Pending:
    """Remembers them by their numbers, so that they need not be read from the file again.

    Attributes:
        settled: outcomes; judged: judgements.
    """

    def __init__(self) -> None:
        self.settled: dict[int, Settle] = {}
        self.judged: dict[int, Lesson] = {}

    def forget(self, outcome: int | None = None, judgement: int | None = None) -> None:
        """Forgets those up to these numbers; without a number all."""
        _forget(self.settled, outcome)
        _forget(self.judged, judgement)

    def add_outcome(self, number: int, tally: Tally) -> None:
        """Adds what an outcome amounts to."""
        settle = self.settled[number]
        tally.learn(settle.lessons)
        tally.charge(settle.charges)
        tally.pace(settle.paces, number)
        tally.pay(settle.paces, settle.cost_usd)

    def add_judgement(self, number: int, tally: Tally) -> None:
        """Adds what a judgement amounts to."""
        tally.learn((self.judged[number],))


def in_order(known: Mapping[int, object], after: int, upto: int) -> Iterator[int | Gap]:
    """The numbers above one and up to another: each that is known by itself, the others as stretches."""
    begin = after + 1
    for number in known:
        if number > begin:
            yield Gap(begin, number - 1)
        yield number
        begin = number + 1
    if begin <= upto:
        yield Gap(begin, upto)


def _forget(rows: dict[int, Settle] | dict[int, Lesson], upto: int | None) -> None:
    if upto is None:
        rows.clear()
    else:
        for number in [each for each in rows if each <= upto]:
            del rows[number]
