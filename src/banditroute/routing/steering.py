"""What may bend a decision beside quality and dollars: rules that bar models, make them dearer or bound their share.

A decider asks each of its rules in turn and draws from what they leave, so that the propensities it logs are exact
whatever the rules do. A decider without rules does no work for them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from banditroute.learning.selection import within
from banditroute.observe import Event
from banditroute.records import Alarm, Decision, Outcome

from .lessons import Lesson
from .paced import PaceRecord
from .rules import Believed, Rule, Situation

Floats = NDArray[np.float64]


class Steering:
    """A decider's rules, asked together.

    Args:
        rules: in the order in which they are asked.
    """

    def __init__(self, rules: Sequence[Rule] = ()) -> None:
        self.rules = tuple(rules)
        self._beliefs: Believed | None = None

    @property
    def bends(self) -> bool:
        """Whether any rule may bend a decision now."""
        return any(not rule.is_idle for rule in self.rules)

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
        for rule in self.rules:
            reasons = rule.barred(situation)
            if reasons:
                each = zip(situation.names, situation.eligible.tolist(), strict=True)
                standing = {name for name, may in each if may and name not in barred}
                if not standing <= reasons.keys():
                    barred.update({name: why for name, why in reasons.items() if name in standing})
        return barred

    def penalised(self, situation: Situation, worth: Floats) -> Floats:
        """The worth (K,) of each model less all rules' penalties."""
        for rule in self.rules:
            penalty = rule.penalty(situation)
            if penalty is not None:
                worth = worth - penalty
        return worth

    def limited(self, situation: Situation, worth: Floats, propensities: dict[str, float]) -> dict[str, float]:
        """Propensities of the eligible models brought within every rule's limits, one rule after the other."""
        for rule in self.rules:
            limits = rule.limits(situation, worth)
            if limits is not None:
                where = [arm for arm, name in enumerate(situation.names) if name in propensities]
                p = within(list(propensities.values()), limits.least[where].tolist(), limits.most[where].tolist())
                propensities = dict(zip(propensities, p, strict=True))
        return propensities

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
