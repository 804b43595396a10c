"""Best model found: a task class stops exploring once the answer is known, and takes it up when it no longer is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from banditroute.learning.knowing import Known, averaged, is_known, leader
from banditroute.observe import BestDoubted, BestFound, Event
from banditroute.records import Alarm, Decision
from banditroute.routing.rules import Limits, Situation

from .counting import Counted
from .switches import only

Floats = NDArray[np.float64]

_WORTH = frozenset({"quality", "output_tokens"})  # signals that move a model's utility: tokens are dollars


@dataclass(slots=True)
class _Class:
    """What is known of a task class: the average doubt, how often each model led of late, and who was found."""

    doubt: float
    led: Floats
    found: str = ""


class BestKnown(Counted):
    """Draws the best expected model alone in classes where hardly any other can be better.

    Doubt is averaged over the requests of a class as they come, each at its own context and today's prices: so it
    rises by itself when a newcomer, a price or a drift makes another model worth looking at. What is known is not kept:
    after a restart it is found anew, within a hundred requests of a class.

    Args:
        terms: when a model counts as known to be best.
    """

    def __init__(self, terms: Known) -> None:
        super().__init__("best")
        self._terms = terms
        self._classes: dict[str, _Class] = {}
        self._calm = False
        self._news: list[Event] = []

    @property
    def found(self) -> dict[str, str]:
        """The model that is known to be best, by task class."""
        return {task: each.found for task, each in self._classes.items() if each.found}

    def drifted(self, alarm: Alarm) -> None:
        """Explores again where a model has changed in what it is worth."""
        if alarm.signal in _WORTH:
            self.resume(alarm.task, f"the {alarm.signal.replace('_', ' ')} of {alarm.model} changed")

    def resume(self, task: str = "", reason: str = "told to explore again") -> None:
        """Explores again in a class, or in all where none is named, whatever is believed."""
        for name, each in self._classes.items():
            if task in ("", name):
                self._lose(name, each, reason)
                each.doubt = 1.0

    def limits(self, situation: Situation, worth: Floats) -> Limits | None:
        """All probability to the best, where it is known."""
        self._count.ask(situation)
        self._calm = False
        if situation.eligible.sum() < 2:
            return None
        terms, task = self._terms, situation.context.task
        best, doubt = leader(worth, situation.amounts.quality_sd, situation.eligible, terms.tolerance)
        known = self._classes.get(task)
        if known is None or known.led.size != worth.size:
            known = self._classes[task] = _Class(1.0, np.zeros(worth.size))
        known.doubt = float(averaged(np.asarray(known.doubt), doubt, terms.memory))
        known.led = averaged(known.led, np.arange(worth.size) == best, terms.memory)
        self._look(task, known, situation.names)
        self._calm = bool(known.found)
        return only(int(best), worth.size) if known.found else None

    def decided(self, decision: Decision) -> None:
        """Counts."""
        if self._count.is_of(decision):
            self._count.add(bent=self._calm)

    def drain(self) -> Sequence[Event]:
        """Classes whose best model was found, or is in doubt again."""
        news, self._news = self._news, []
        return news

    def _look(self, task: str, known: _Class, names: tuple[str, ...]) -> None:
        """Tells once what has changed of a class."""
        is_found = bool(is_known(np.asarray(bool(known.found)), np.asarray(known.doubt), self._terms))
        if is_found and not known.found:
            known.found = names[int(known.led.argmax())]
            self._news.append(BestFound(task, known.found, 1.0 - known.doubt))
        elif known.found and not is_found:
            self._lose(task, known, f"another may be better (probability {known.doubt:.2f})")

    def _lose(self, task: str, known: _Class, reason: str) -> None:
        if known.found:
            self._news.append(BestDoubted(task, known.found, reason))
        known.found = ""
