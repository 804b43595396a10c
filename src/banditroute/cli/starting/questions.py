"""What is asked on a terminal, and what is taken for granted elsewhere."""

import math
import sys
from collections.abc import Sequence
from typing import Protocol

import typer

from banditroute.cli.starting.found import Found


class Questions(Protocol):
    """Who answers for the user."""

    def providers(self, found: Sequence[Found]) -> list[Found]:
        """Those to use."""
        ...

    def day_usd(self, usual: float) -> float:
        """Dollars a day to spend at most."""
        ...


class TakenForGranted:
    """Nobody is asked: all that was found, and what is usual."""

    def providers(self, found: Sequence[Found]) -> list[Found]:
        """All."""
        return list(found)

    def day_usd(self, usual: float) -> float:
        """The usual."""
        return usual


class OnTerminal:
    """The user, on a terminal."""

    def providers(self, found: Sequence[Found]) -> list[Found]:
        """Those that the user says yes to."""
        return [each for each in found if typer.confirm(f"route to {each.name}?", default=True)]

    def day_usd(self, usual: float) -> float:
        """What the user says, above 0."""
        while not 0 < (answer := float(typer.prompt("dollars a day, at most", default=usual, type=float))) < math.inf:
            typer.echo("give an amount above 0")
        return answer


def questions(*, yes: bool) -> Questions:
    """Whom to ask: the user where standard input is a terminal, unless everything is granted."""
    return OnTerminal() if sys.stdin.isatty() and not yes else TakenForGranted()
