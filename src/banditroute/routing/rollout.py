"""Rollout, live: newcomers get a trial, dear ones go through a canary, and who is surely worse is rolled back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from banditroute.learning.rollout import RolloutSettings, stage_of, surely_worse
from banditroute.observe import Event, RolloutChanged
from banditroute.records import Decision, Outcome

from .catalog import Catalog
from .crew import Crew
from .lessons import Lesson
from .paced import PaceRecord
from .rules import Believed, Limits, Rule, Situation
from .standings import OPEN, ROLLED_BACK, TRIAL, Review, Standing
from .steering import Steering

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

_KIND = "rollout/"
_GROWTH = 0.45  # of what was judged of a newcomer, until beliefs are worth solving anew
_LEAST_NEWS = 2
_DEARER = 1.001  # times the price: less is rounding
_NEW, _DROPPED = 1.0, 2.0  # levels in the records of newcomers, and of those rolled back


class Rollout(Rule):
    """Bends choices while there are newcomers: models that came when others were in use.

    A model that is there from the very start is none, and one is none any more once it has served many requests. Where
    newcomers stand is derived from evidence, whenever beliefs are solved anew; who they are, and who of them is rolled
    back, is kept.

    Args:
        settings: how newcomers get their chance.
        asked: models that go through the canary whatever they cost.
        spared: models that never do.
    """

    def __init__(self, settings: RolloutSettings, asked: Collection[str] = (), spared: Collection[str] = ()) -> None:
        self._settings = settings
        self._asked, self._spared = frozenset(asked), frozenset(spared)
        self._settled_in: set[str] = set()  # models that are no newcomers
        self._unserved: set[str] = set()  # those of them that never served
        self._grown: set[str] = set()  # those of them that were newcomers
        self._new: set[str] = set()
        self._rolled_back: set[str] = set()
        self._crew: Crew | None = None
        self._news: Counter[str] = Counter()  # judgements of newcomers since beliefs were solved
        self._under_way: Counter[str] = Counter()
        self._events: list[Event] = []
        self._beliefs: Believed

    @property
    def standings(self) -> tuple[Standing, ...]:
        """Every newcomer's."""
        return () if self._crew is None else tuple(self._crew.standings.values())

    @property
    def is_idle(self) -> bool:
        """Whether there are no newcomers; at the very start, it has yet to see who is there."""
        return self._crew is None and bool(self._settled_in)

    @property
    def stale(self) -> bool:
        """Whether a trial is over, or so much was heard of a newcomer that all its classes should hear of it now."""
        return self._crew is not None and any(self._is_stale(each, self._crew) for each in self.standings)

    def attend(self, beliefs: Believed) -> None:
        """Keeps at hand what newcomers are compared by."""
        self._beliefs = beliefs

    def limits(self, situation: Situation, worth: Floats) -> Limits | None:
        """The floors of trials and probes, the ceilings of canaries."""
        if not self._settled_in:  # the very start
            self._settled_in.update(situation.names)
            self._unserved.update(situation.names)
        crew = self._crew
        if crew is None or not (crew.young & situation.eligible).any():
            return None
        return crew.limits(situation, worth, self._settings)

    def decided(self, decision: Decision) -> None:
        """Counts a newcomer's request as soon as it is on its way."""
        if self._crew is not None and decision.chosen in self._crew.standings:
            self._under_way[decision.chosen] += 1
            self._crew.tally(decision.chosen, 1)

    def settled(self, decision: Decision, outcome: Outcome) -> None:  # noqa: ARG002
        """From here on what is learned of the request is what counts."""
        if self._under_way[decision.chosen] > 0:
            self._under_way[decision.chosen] -= 1
            if self._crew is not None:
                self._crew.tally(decision.chosen, -1)

    def learned(self, lesson: Lesson) -> None:
        """Counts what is heard of newcomers."""
        if self._crew is not None and lesson.model in self._crew.standings:
            quality, *amounts = lesson.values
            self._news[lesson.model] += quality is not None
            self._crew.tally(lesson.model, int(any(amount is not None for amount in amounts)))

    def refreshed(self) -> None:
        """Looks anew where every newcomer stands."""
        review = Review(self._beliefs)
        self._admit(review)
        self._news.clear()
        young = review.routed & np.array([name not in self._settled_in for name in review.names], dtype=bool)
        others = review.routed & ~young & (review.served > 0)
        if not young.any() or review.served[others].sum() < self._settings.trial_requests:
            self._crew = None
            return
        usual = review.typical_usd(others, self._settings.trial_requests)
        dear = usual.likely_usd > _DEARER * usual.likely_usd[others].max()
        found = [self._standing(review, arm, others, dear=bool(dear[arm])) for arm in np.flatnonzero(young).tolist()]
        self._tell(found)
        self._rolled_back = {each.model for each in found if each.stage == ROLLED_BACK}
        self._crew = Crew.of(review, found, usual)
        for name, requests in self._under_way.items():
            self._crew.tally(name, requests)

    def drain(self) -> Sequence[Event]:
        """Changes of stage."""
        events, self._events = self._events, []
        return events

    def records(self) -> Iterable[PaceRecord]:
        """What evidence does not tell: who is new, and who is not although it never served, or no longer."""
        levels = dict.fromkeys(sorted(self._unserved | self._grown), 0.0)
        if self._crew is not None:
            levels |= {name: _DROPPED if name in self._rolled_back else _NEW for name in self._crew.standings}
        return (PaceRecord(_KIND + name, 0.0, 0.0, 0.0, level, 0) for name, level in levels.items())

    def restore(self, records: Sequence[PaceRecord]) -> None:
        """Remembers that, by today's names."""
        known = [each for each in records if each.budget.startswith(_KIND)]
        today = self._beliefs.catalog.current
        names = [(today(name := each.budget.removeprefix(_KIND)) or name, each.level) for each in known]
        self._new = {name for name, level in names if level >= _NEW}
        self._rolled_back = {name for name, level in names if level == _DROPPED}
        self._settled_in = {name for name, level in names if level < _NEW}

    def _admit(self, review: Review) -> None:
        """Takes in who is no newcomer: whoever served, unless it is known to be one and has not served enough yet.

        At the very start nobody has served, and nobody is new.
        """
        served = dict(zip(review.names, review.served.tolist(), strict=True))
        grown = {name for name in self._new if served.get(name, 0.0) >= self._settings.watched_requests}
        self._settled_in |= grown | {name for name, requests in served.items() if requests > 0} - self._new
        if not any(served.values()):
            self._settled_in |= served.keys()
        self._grown |= grown
        self._unserved = {name for name in self._settled_in if not served.get(name)}
        self._new = served.keys() - self._settled_in

    def _standing(self, review: Review, arm: int, others: Bools, *, dear: bool) -> Standing:
        name, settings, served = review.names[arm], self._settings, int(review.served[arm])
        found = review.compared(arm, others, settings)
        step = int(stage_of(found, settings)) if self._in_canary(name, dear) else len(settings.stages)
        most = (*settings.stages, 1.0)[step]
        if surely_worse(found, name in self._rolled_back, settings):
            stage = ROLLED_BACK
        elif most < 1.0:
            stage = f"canary {100 * most:g}%"
        else:
            stage = TRIAL if served < settings.trial_requests else OPEN
        return Standing(name, stage, most, served, *(float(each) for each in found))

    def _is_stale(self, standing: Standing, crew: Crew) -> bool:
        name = standing.model
        served = crew.requests[crew.arms[name]] - self._under_way[name]
        trial_over = standing.stage == TRIAL and served >= self._settings.trial_requests
        return bool(trial_over) or self._news[name] >= max(_LEAST_NEWS, _GROWTH * standing.judged)

    def _in_canary(self, name: str, dear: bool) -> bool:
        if name in self._spared:
            return False
        return name in self._asked or self._settings.canary == "all" or (dear and self._settings.canary == "dearer")

    def _tell(self, found: Iterable[Standing]) -> None:
        """Notes changes of stage; of a newcomer not heard of before, only where it has served nothing yet."""
        before = {} if self._crew is None else self._crew.standings
        for now in found:
            known = before.get(now.model)
            if now.requests == 0 if known is None else known.stage != now.stage:
                self._events.append(RolloutChanged(now.model, now.stage, now.reason))


def rollout_of(settings: RolloutSettings, catalog: Catalog) -> Rollout:
    """The rule for a catalog's models."""
    asked = [model.name for model in catalog if model.canary is True]
    spared = [model.name for model in catalog if model.canary is False]
    return Rollout(settings, asked, spared)


def standings_of(steering: Steering) -> tuple[Standing, ...]:
    """Where the newcomers of a decider stand; none where no rollout bends its decisions."""
    return tuple(each for rule in steering.rules if isinstance(rule, Rollout) for each in rule.standings)
