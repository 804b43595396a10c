"""What an operator throws in a hurry: everything to one model, or nothing tried."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from banditroute.observe import Event, SwitchPassedOver
from banditroute.records import Decision
from banditroute.routing.rules import Believed, Limits, Situation

from .counting import Counted

Floats = NDArray[np.float64]


def only(arm: int, arms: int) -> Limits:
    """Limits that leave one arm of K."""
    chosen = np.zeros(arms)
    chosen[arm] = 1.0
    return Limits(chosen, chosen)


def best(situation: Situation, worth: Floats) -> int:
    """The eligible arm that is expected to be worth most."""
    return int(np.where(situation.eligible, worth, -np.inf).argmax())


class OneModel(Counted):
    """Every request goes to one model while it can serve; the others serve what it cannot.

    Args:
        model: which.
    """

    def __init__(self, model: str) -> None:
        super().__init__("only")
        self.model = model
        self._serving = True
        self._news: list[Event] = []

    def attend(self, beliefs: Believed) -> None:
        """Takes the model by its name today."""
        self.model = beliefs.catalog.current(self.model) or self.model

    @property
    def mark(self) -> str:
        """Names the model."""
        return f"only:{self.model}"

    def limits(self, situation: Situation, worth: Floats) -> Limits | None:  # noqa: ARG002
        """All probability to the model; none where it may not serve."""
        self._count.ask(situation)
        arm = situation.names.index(self.model) if self.model in situation.names else -1
        serving = arm >= 0 and bool(situation.eligible[arm])
        if not serving and self._serving and not _ruled_out(situation, self.model):
            self._news.append(SwitchPassedOver(self.model, situation.now))
        self._serving = serving
        return only(arm, len(situation.names)) if serving else None

    def decided(self, decision: Decision) -> None:
        """Counts."""
        if self._count.is_of(decision):
            self._count.add(bent=decision.chosen == self.model)

    def drain(self) -> Sequence[Event]:
        """That others serve in its stead, once for each time that it begins."""
        news, self._news = self._news, []
        return news


class Frozen(Counted):
    """The model that is expected to be best serves, and nothing is tried; what it shows is learned as ever."""

    def __init__(self) -> None:
        super().__init__("freeze")

    @property
    def mark(self) -> str:
        """Says that it is on."""
        return "frozen"

    def limits(self, situation: Situation, worth: Floats) -> Limits:
        """All probability to the best."""
        self._count.ask(situation)
        return only(best(situation, worth), len(situation.names))

    def decided(self, decision: Decision) -> None:
        """Counts."""
        if self._count.is_of(decision):
            self._count.add(bent=True)


def _ruled_out(situation: Situation, model: str) -> bool:
    """Whether the caller's own terms keep the model from serving."""
    demand = situation.demand
    return model in demand.denied or bool(demand.allowed and model not in demand.allowed)
