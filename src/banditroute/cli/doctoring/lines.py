"""What a look at one part of a router finds, in one line."""

from enum import StrEnum
from typing import NamedTuple

from banditroute.config.findings import Finding


class State(StrEnum):
    """How a part is."""

    ok = "ok"
    look = "look"  # it works; somebody should know
    wrong = "wrong"  # it does not work


class Line(NamedTuple):
    """One line.

    Attributes:
        state: how the part is.
        part: what was looked at.
        told: what was found.
        remedy: what to do; empty where nothing is to be done.
    """

    state: State
    part: str
    told: str
    remedy: str = ""


def line_of(finding: Finding, part: str, state: State = State.look) -> Line:
    """A finding of the configuration's review as a line."""
    return Line(state, part, f"{finding.place}: {finding.problem}", finding.remedy)
