"""Who is told what beliefs have taken in: the rules and paced budgets of whoever decides by them."""

from __future__ import annotations

from typing import NamedTuple, Protocol

from banditroute.records import Alarm

from .lessons import Lesson
from .pacers import Pacers
from .steering import Steering


class Hearer(Protocol):
    """Is told what beliefs have just taken in."""

    def learned(self, lesson: Lesson) -> None:
        """A model showed something."""
        ...

    def drifted(self, alarm: Alarm) -> None:
        """A model is no longer what was learned of it; beliefs have been moved already."""
        ...

    def rebilled(self, arm: int, factor: float) -> None:
        """A model's dollars are a multiple of what they were."""
        ...

    def refreshed(self) -> None:
        """All beliefs were solved anew."""
        ...


class Ears(NamedTuple):
    """What of a decider hears."""

    steering: Steering
    pacers: Pacers

    def learned(self, lesson: Lesson) -> None:
        """Tells the rules."""
        self.steering.learned(lesson)

    def drifted(self, alarm: Alarm) -> None:
        """Tells the rules."""
        self.steering.drifted(alarm)

    def rebilled(self, arm: int, factor: float) -> None:
        """Has shadow prices solved for it at once."""
        self.pacers.reprice(arm, factor, announced=False)

    def refreshed(self) -> None:
        """Tells the rules."""
        self.steering.refreshed()
