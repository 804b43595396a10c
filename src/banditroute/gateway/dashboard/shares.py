"""What each of several workers has to show, and how it becomes one picture.

They are one gateway's processes of the same code, and talk where nobody else can listen: values go as they are.
"""

from __future__ import annotations

import pickle
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from operator import attrgetter

from banditroute.gateway.dashboard.decisions import DecisionLine
from banditroute.gateway.dashboard.notices import Notice
from banditroute.gateway.dashboard.ring import Stretch

_MOST_LINES = 40
_MOST_NOTICES = 60
_SAME_S = 30.0  # what all workers notice they notice within so many seconds


@dataclass(frozen=True, slots=True)
class Share:
    """What one worker has to show.

    Attributes:
        in_work: requests that it answers, of at most so many; under_way: its decisions that are not settled.
        stretches: the past that is asked for, each with the instant at which it begins.
        decisions: its newest, newest first.
        notices: its newest, newest first.
    """

    in_work: int
    most_in_work: int
    under_way: int
    stretches: list[tuple[float, Stretch]]
    decisions: list[DecisionLine]
    notices: list[Notice]

    def told(self) -> bytes:
        """As another worker is told."""
        return pickle.dumps(self)


def share_of(told: bytes) -> Share:
    """What another worker told."""
    return pickle.loads(told)


def stretches(shares: Iterable[Share]) -> list[tuple[float, Stretch]]:
    """The past of all, oldest first."""
    merged: dict[float, Stretch] = {}
    for share in shares:
        for begins, stretch in share.stretches:
            merged.setdefault(begins, Stretch()).add(stretch)
    return sorted(merged.items(), key=lambda each: each[0])


def decisions(shares: Iterable[Share]) -> list[DecisionLine]:
    """The newest decisions of all, newest first."""
    lines = [line for share in shares for line in share.decisions]
    return sorted(lines, key=attrgetter("at"), reverse=True)[:_MOST_LINES]


def notices(shares: Iterable[Share]) -> list[Notice]:
    """The newest notices of all, newest first; what several noticed is told once."""
    found = sorted((each for share in shares for each in share.notices), key=attrgetter("at"), reverse=True)
    return list(_once(found))[:_MOST_NOTICES]


def _once(found: list[Notice]) -> Iterator[Notice]:
    last: dict[tuple[str, str], float] = {}
    for each in found:
        what = each.kind, each.text
        if last.get(what, float("inf")) - each.at > _SAME_S:
            yield each
        last[what] = each.at
