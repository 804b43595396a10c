"""A policy that decides beside the router on a share of its traffic, calls nobody, and is kept on record.

It learns from the same lessons; where both would learn the same, it decides by what the router believes. Its paced
budgets are charged with what its own choice is expected to cost, never with the router's bill. Whatever goes wrong in
it is an event, and the request is served as if it were not there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from banditroute.errors import BanditrouteError
from banditroute.observe import Observer, ShadowFailed
from banditroute.records import Alarm, Decision, Demand, Outcome, ShadowDecision

from .hearing import Ears
from .paced import PaceRecord
from .tasks import is_chosen_on

if TYPE_CHECKING:
    from collections.abc import Generator

    from banditroute.learning.evidence import Evidence

    from .decider import Decider
    from .lessons import Edge, Lesson
    from .sessions import Sessions, Stay

SHADOWS = "shadow/"
"""What the names begin with under which the paces of shadows' budgets are kept."""

_NONE: Mapping[str, str] = MappingProxyType({})


class Moment(NamedTuple):
    """What a shadow needs to know of a request beside the decision that was made on it.

    Attributes:
        demand: what the request needs of a model; of a pinned one, the model that its caller named is among it.
        unavailable: models that cannot be called now, each with its reason.
        session_id: names its conversation, if any.
    """

    demand: Demand
    unavailable: Mapping[str, str] = _NONE
    session_id: str | None = None


class Shadow:
    """Decides beside the router; one owner, no clock, no I/O.

    Args:
        name: what records and reports call it.
        decider: its policy, with paced budgets of its own; beliefs that it borrows are the router's, who teaches them.
        share: of the requests, in [0, 1], that it decides on.
        uniform: chance of its own, uniform in [0, 1): the router's draws are what they would be without it.
        observer: is told what went wrong.
        sessions: which model its conversations would be with; None = it keeps none.
    """

    def __init__(
        self,
        name: str,
        decider: Decider,
        share: float,
        uniform: Callable[[], float],
        observer: Observer,
        *,
        sessions: Sessions | None = None,
    ) -> None:
        self.name = name
        self.decider = decider
        self._share = share
        self._uniform = uniform
        self._observer = observer
        self._sessions = sessions
        self._prefix = f"{SHADOWS}{name}/"
        if decider.borrows:
            decider.beliefs.tell(_Careful(decider.ears, self._failing))

    def picks(self, task: str) -> bool:
        """Whether to decide on a request of that class.

        It is left to chance alone, so that those that are decided on stand for all.
        """
        return is_chosen_on(task) and self._uniform() < self._share

    def beside(self, decision: Decision, moment: Moment) -> Decision:
        """The decision with what the shadow would have chosen, if it can choose; nothing else of it changes."""
        with self._failing("decide"):
            return replace(decision, shadow=self._decided(decision, moment))
        return decision

    def take(self, lessons: Iterable[Lesson]) -> None:
        """Takes in what the model that served taught."""
        if self.decider.borrows:
            return
        with self._failing("learn"):
            for lesson in lessons:
                self.decider.take(lesson)

    def settled(self, outcome: Outcome) -> None:
        """Takes in what came of the router's decision: only its bill says anything of what others would have cost."""
        if self.decider.borrows:
            return
        with self._failing("learn"):
            self.decider.beliefs.check_bill(outcome)

    def hear(self, added: Mapping[Edge, Evidence]) -> None:
        """Takes up what other processes have added to what is known."""
        if self.decider.borrows or not added:
            return
        with self._failing("learn"):
            self.decider.beliefs.hear_more(added)

    def forget(self, elapsed_s: float) -> None:
        """Lets what it knows fade by what so many seconds are worth to it."""
        if self.decider.borrows:
            return
        with self._failing("forget"):
            self.decider.beliefs.forget(elapsed_s)

    def refresh(self) -> None:
        """Solves what was learned anew, where that is due; alarms are the router's to raise."""
        if self.decider.borrows:
            return
        self.decider.beliefs.take_alarms(0.0)
        if self.decider.refresh_due:
            with self._failing("refresh"):
                self.decider.refresh()

    @property
    def paces(self) -> tuple[PaceRecord, ...]:
        """Where its paced budgets stand, under names that are theirs alone: kept beside those of the router."""
        return tuple(replace(each, budget=self._prefix + each.budget) for each in self.decider.paces)

    def restore(self, evidence: Mapping[Edge, Evidence], paces: Iterable[PaceRecord]) -> None:
        """Takes up what was learned before, and where its paced budgets stood."""
        own = [each for each in paces if each.budget.startswith(self._prefix)]
        named = [replace(each, budget=each.budget.removeprefix(self._prefix)) for each in own]
        with self._failing("take up what was learned"):
            self.decider.restore(evidence, named)

    def inherit(self, before: Shadow | None, evidence: Mapping[Edge, Evidence]) -> None:
        """Goes on from where the shadow of the same name stood; a new one starts from what the router has learned."""
        with self._failing("take up what was learned"):
            if before is None or before.name != self.name:
                self.decider.restore(evidence, ())
                return
            self.decider.inherit(before.decider)
            if self._sessions is not None and before._sessions is not None:
                self._sessions.inherit(before._sessions)

    def _decided(self, decision: Decision, moment: Moment) -> ShadowDecision:
        demand = replace(moment.demand, allowed=frozenset()) if decision.pinned else moment.demand
        drawn = self.decider.decide(
            decision.context,
            demand,
            decision_id=decision.decision_id,
            now=decision.at,
            u=self._uniform(),
            unavailable=moment.unavailable,
            tenant=decision.tenant,
            stay=self._stay(moment.session_id, decision.at),
        )
        self._charge(drawn, moment.session_id)
        return ShadowDecision(
            self.name, drawn.chosen, drawn.propensities, drawn.forecasts, drawn.shadow_prices, drawn.policy_version
        )

    def _stay(self, session_id: str | None, now: float) -> Stay | None:
        return None if session_id is None or self._sessions is None else self._sessions.stay(session_id, now)

    def _charge(self, drawn: Decision, session_id: str | None) -> None:
        """Takes the forecast of its choice for its bill, and its conversation for one with the model that it drew."""
        context = drawn.context
        self.decider.spend(drawn.forecasts[drawn.chosen].cost_usd, tenant=drawn.tenant, task=context.task)
        if session_id is not None and self._sessions is not None:
            self._sessions.answered(session_id, drawn.chosen, context.input_tokens, drawn.at)

    @contextmanager
    def _failing(self, doing: str) -> Generator[None]:
        """Turns what may go wrong into an event."""
        try:
            yield
        except (BanditrouteError, ArithmeticError) as error:
            self._observer.notify(ShadowFailed(self.name, doing, str(error)))


class _Careful(NamedTuple):
    """A shadow's ears: what goes wrong in them keeps the router from nothing."""

    ears: Ears
    failing: Callable[[str], AbstractContextManager[None]]

    def learned(self, lesson: Lesson) -> None:
        with self.failing("learn"):
            self.ears.learned(lesson)

    def drifted(self, alarm: Alarm) -> None:
        with self.failing("learn"):
            self.ears.drifted(alarm)

    def rebilled(self, arm: int, factor: float) -> None:
        with self.failing("learn"):
            self.ears.rebilled(arm, factor)

    def refreshed(self) -> None:
        with self.failing("refresh"):
            self.ears.refreshed()
