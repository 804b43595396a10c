"""What may bend a decision beside quality and dollars: rules that bar models, make them dearer or bound their share.

A decider asks each of its rules in turn and draws from what they leave, so that the propensities it logs are exact
whatever the rules do. A decider without rules does no work for them.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from banditroute.learning.selection import within
from banditroute.observe import Event
from banditroute.records import Alarm, Context, Decision, Demand, Forecast, Outcome

from .catalog import Catalog
from .lessons import Lesson
from .pacers import PaceRecord
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


class Steering:
    """A decider's rules, asked together.

    Args:
        rules: in the order in which they are asked.
    """

    def __init__(self, rules: Sequence[Rule] = ()) -> None:
        self.rules = tuple(rules)
        self._beliefs: Believed | None = None

    def __bool__(self) -> bool:
        return bool(self.rules)

    def add(self, rule: Rule) -> None:
        """Asks one more, after the others."""
        self.rules = (*self.rules, rule)
        if self._beliefs is not None:
            rule.attend(self._beliefs)

    def remove(self, rule: Rule) -> None:
        """Asks it no longer."""
        self.rules = tuple(each for each in self.rules if each is not rule)

    def version(self, policy: str) -> str:
        """A policy's version with the rules' marks."""
        return "+".join((policy, *(rule.mark for rule in self.rules if rule.mark)))

    def attend(self, beliefs: Believed) -> None:
        """Hands every rule what its decider believes, those that are added later too."""
        self._beliefs = beliefs
        for rule in self.rules:
            rule.attend(beliefs)

    def drain(self) -> Sequence[Event]:
        """What the rules have to tell since they were last asked."""
        return [event for rule in self.rules for event in rule.drain()]

    def barred(self, situation: Situation) -> Mapping[str, str]:
        """Models that may not serve now; a rule that would leave none is passed over, for somebody must answer."""
        barred: dict[str, str] = {}
        standing = {name for name, may in zip(situation.names, situation.eligible.tolist(), strict=True) if may}
        for rule in self.rules:
            reasons = {name: why for name, why in rule.barred(situation).items() if name in standing}
            if len(reasons) < len(standing):
                barred.update(reasons)
                standing -= reasons.keys()
        return barred

    def penalised(self, situation: Situation, worth: Floats) -> Floats:
        """The worth (K,) of each model less all rules' penalties."""
        for rule in self.rules:
            penalty = rule.penalty(situation)
            if penalty is not None:
                worth = worth - penalty
        return worth

    def limited(self, situation: Situation, worth: Floats, propensities: Mapping[str, float]) -> dict[str, float]:
        """Propensities of the eligible models brought within every rule's limits, one rule after the other."""
        where = [arm for arm, name in enumerate(situation.names) if name in propensities]
        p = list(propensities.values())
        for rule in self.rules:
            limits = rule.limits(situation, worth)
            if limits is not None:
                p = within(p, limits.least[where].tolist(), limits.most[where].tolist())
        return dict(zip(propensities, p, strict=True))

    def decided(self, decision: Decision) -> None:
        """Tells every rule of a decision that goes on its way."""
        for rule in self.rules:
            rule.decided(decision)

    def learned(self, lesson: Lesson) -> None:
        """Tells every rule what the beliefs have just taken in."""
        for rule in self.rules:
            rule.learned(lesson)

    def settled(self, decision: Decision, outcome: Outcome) -> None:
        """Tells every rule what came of a decision."""
        for rule in self.rules:
            rule.settled(decision, outcome)

    @property
    def minds_load(self) -> bool:
        """Whether any rule looks at how long models take as busy as they are."""
        return any(rule.minds_load for rule in self.rules)

    @property
    def stale(self) -> bool:
        """Whether any rule would have beliefs solved anew now."""
        return any(rule.stale for rule in self.rules)

    def refreshed(self) -> None:
        """Tells every rule that all beliefs were solved anew."""
        for rule in self.rules:
            rule.refreshed()

    def drifted(self, alarm: Alarm) -> None:
        """Tells every rule that a model is no longer what was learned of it."""
        for rule in self.rules:
            rule.drifted(alarm)

    def records(self) -> tuple[PaceRecord, ...]:
        """What of the rules must outlive the process."""
        return tuple(record for rule in self.rules for record in rule.records())

    def restore(self, records: Iterable[PaceRecord]) -> None:
        """Has every rule go on from where it stood."""
        known = tuple(records)
        for rule in self.rules:
            rule.restore(known)
