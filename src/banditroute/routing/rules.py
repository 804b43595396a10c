"""A rule: bars models, makes them dearer or bounds their share, by what a decision is about and what is believed."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from banditroute.observe import Event
from banditroute.records import Alarm, Context, Decision, Demand, Forecast, Outcome

from .catalog import Catalog
from .lessons import Lesson
from .paced import PaceRecord
from .signals import Amounts, Signals

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

_NOBODY: Mapping[str, str] = MappingProxyType({})


class Situation(NamedTuple):
    """One decision that is about to be drawn, over K models.

    Attributes:
        now: the instant, seconds since the epoch.
        context: what is known of the prompt.
        demand: what the request needs and its caller allows.
        tenant: on whose behalf.
        names: (K,) the models.
        eligible: (K,) models that may serve.
        amounts: what each is expected to do.
        cost_usd: (K,) expected dollars.
        cheapest: a cap is reached, so that the cheapest of the models serves, whatever its quality.
        budget_usd: dollars per request, the least of the paced budgets that cover it; infinite = none does.
    """

    now: float
    context: Context
    demand: Demand
    tenant: str
    names: tuple[str, ...]
    eligible: Bools
    amounts: Amounts
    cost_usd: Floats
    cheapest: bool = False
    budget_usd: float = math.inf


class Believed(Protocol):
    """What a decider believes, live: it changes as the decider learns."""

    @property
    def catalog(self) -> Catalog:
        """The models; their order is that of the arms."""
        ...

    @property
    def tasks(self) -> tuple[str, ...]:
        """The known task classes; row i of what was learned is class i."""
        ...

    @property
    def signals(self) -> Signals:
        """What was learned."""
        ...

    def forecasts(self, task: str, input_tokens: int, features: tuple[float, ...] = ()) -> Mapping[str, Forecast]:
        """What is expected of every model at a prompt of that class, length and features."""
        ...

    def points(self, forecast: Forecast) -> float:
        """Quality points that the dollars and seconds of a forecast are worth, by the budgets that cover everything."""
        ...


class Limits(NamedTuple):
    """Bounds (K,) on each model's probability of being drawn."""

    least: Floats
    most: Floats


class Rule:
    """Bends nothing and remembers nothing: a rule overrides what it needs. No clock, no chance, no I/O.

    Attributes:
        minds_load: it looks at how long models take as busy as they are, not only as idle ones.
    """

    minds_load = False

    @property
    def is_idle(self) -> bool:
        """Whether it bends no decision now, whatever is asked; it need not be asked then."""
        return False

    @property
    def mark(self) -> str:
        """What it adds to the policy's version in decisions; empty = nothing."""
        return ""

    @property
    def stale(self) -> bool:
        """Whether it would have beliefs solved anew before that is due anyway."""
        return False

    def attend(self, beliefs: Believed) -> None:
        """Is handed what its decider believes, before anything else."""

    def barred(self, situation: Situation) -> Mapping[str, str]:  # noqa: ARG002
        """Models that may not serve now, each with its reason; where that would leave none, the rule is passed over."""
        return _NOBODY

    def penalty(self, situation: Situation) -> Floats | None:  # noqa: ARG002
        """Quality points (K,) that each model is worth less; None = none."""
        return None

    def limits(self, situation: Situation, worth: Floats) -> Limits | None:  # noqa: ARG002
        """Bounds on each model's probability, worth (K,) being its expected utility; None = none."""
        return None

    def decided(self, decision: Decision) -> None:
        """Takes in a decision that goes on its way."""

    def learned(self, lesson: Lesson) -> None:
        """Takes in what the beliefs have just taken in."""

    def settled(self, decision: Decision, outcome: Outcome) -> None:
        """Takes in what came of a decision."""

    def drifted(self, alarm: Alarm) -> None:
        """Takes in that a model is no longer what was learned of it; beliefs have been moved already."""

    def refreshed(self) -> None:
        """Takes in that all beliefs were solved anew."""

    def drain(self) -> Sequence[Event]:
        """What it has to tell since it was last asked."""
        return ()

    def records(self) -> Iterable[PaceRecord]:
        """What of it must outlive the process; names begin with the rule's own kind and a slash."""
        return ()

    def restore(self, records: Sequence[PaceRecord]) -> None:
        """Goes on from where it stood; records of others are passed over."""
