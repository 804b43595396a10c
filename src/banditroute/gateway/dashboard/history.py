"""What the dashboard remembers: an observer that keeps sums of the newest hours and days, and the newest decisions.

It runs on the path of every request, so it does arithmetic and nothing else; what it keeps is bounded.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from banditroute.gateway.dashboard.notices import Notices, notice_of, of_alarm
from banditroute.gateway.dashboard.ring import Mark, Ring, Stretch, rings
from banditroute.observe import Attempted, Decided, Event, Judged, NotGraded, Settled
from banditroute.records import Decision, Outcome
from banditroute.routing.tasks import is_judging
from banditroute.storage.protocol import StoreReader

MarksOf = Callable[[float], Mapping[str, Mark]]
"""Where every budget stands at an instant."""

DAY, MONTH = "24 hours", "30 days"
_RINGS = (("15 minutes", 10.0, 90), (DAY, 900.0, 96), (MONTH, 21_600.0, 124))
_MOST_DECISIONS = 40
_MOST_RECALLED = 500
_MOST_ALARMS = 20
_MOST_EDGES = 160  # in one stretch
_NO_MARKS: Mapping[str, Mark] = {}


@dataclass(slots=True)
class Recent:
    """A decision that was settled, and its first judgement."""

    decision: Decision
    outcome: Outcome
    quality: float | None = None


class History:
    """An observer; one router's, and on its event loop.

    Args:
        clock: seconds since the epoch; None = the system's.

    Attributes:
        clock: seconds since the epoch.
        began_at: since when it watches.
        rings: of several lengths, shortest first; the first takes everything in.
        decisions: the newest, oldest first.
        notices: what whoever watches should hear of.
    """

    def __init__(self, clock: Callable[[], float] | None = None) -> None:
        self.clock = time.time if clock is None else clock
        self.began_at = self.clock()
        self.rings = rings(*_RINGS)
        self.decisions: OrderedDict[str, Recent] = OrderedDict()
        self.notices = Notices()
        self._marks_of: MarksOf | None = None

    def watch(self, marks_of: MarksOf) -> None:
        """Asks from now on where budgets stand, once in each stretch."""
        self._marks_of = marks_of

    def ring(self, name: str) -> Ring:
        """The ring of that name; the shortest where there is none."""
        return next((ring for ring in self.rings if ring.name == name), self.rings[0])

    def notify(self, event: Event) -> None:
        """Takes an event in."""
        if isinstance(event, Settled):
            self.settled(event.decision, event.outcome)
        elif isinstance(event, Judged):
            if event.first:
                self.judged(event.decision, event.outcome, event.feedback.quality)
        elif isinstance(event, Decided | Attempted | NotGraded):
            return
        elif (notice := notice_of(event, self.clock())) is not None:
            self.notices.add(notice)

    async def recall(self, store: StoreReader) -> None:
        """Takes in the newest of what is on record from before it watched.

        Raises:
            StoreError: the store cannot be read.
        """
        for trail in reversed(await store.recent(_MOST_RECALLED)):
            if trail.outcome is not None:
                self.settled(trail.decision, trail.outcome)
                if trail.feedback:
                    self.judged(trail.decision, trail.outcome, trail.feedback[0].quality)
        for alarm in reversed(await store.alarms(_MOST_ALARMS)):
            self.notices.add(of_alarm(alarm))

    def settled(self, decision: Decision, outcome: Outcome) -> None:
        """Takes in what came of a decision."""
        stretch = self.rings[0].at(decision.at)
        if stretch is not None:
            if not stretch.requests:
                stretch.marks = self._marks(outcome.at)
            _settle(stretch, decision, outcome)
        if not is_judging(decision.context.task):
            self.decisions[decision.decision_id] = Recent(decision, outcome)
            if len(self.decisions) > _MOST_DECISIONS:
                self.decisions.popitem(last=False)

    def judged(self, decision: Decision, outcome: Outcome, quality: float) -> None:
        """Takes in the first judgement of a decision."""
        stretch = self.rings[0].at(decision.at)
        if stretch is not None:
            tally = stretch.of(outcome.served)
            tally.judged += 1
            tally.quality += quality
        recent = self.decisions.get(decision.decision_id)
        if recent is not None:
            recent.quality = quality

    def _marks(self, at: float) -> Mapping[str, Mark]:
        """Where budgets stand now; nobody knows where they stood before it watched."""
        return _NO_MARKS if self._marks_of is None or at < self.began_at else self._marks_of(at)


def _settle(stretch: Stretch, decision: Decision, outcome: Outcome) -> None:
    task = decision.context.task
    if is_judging(task):
        stretch.judging_usd += outcome.cost_usd
        return
    stretch.requests += 1
    stretch.spent_usd += outcome.cost_usd
    for attempt in outcome.attempts:
        if attempt.failure:
            stretch.of(attempt.model).failed += 1
    if not outcome.ok:
        stretch.failed += 1
        return
    tally = stretch.of(outcome.served)
    tally.answers += 1
    tally.spent_usd += outcome.cost_usd
    tally.seconds_s += outcome.latency_s
    edge = task, outcome.served
    if edge in stretch.edges or len(stretch.edges) < _MOST_EDGES:
        stretch.edges[edge] = stretch.edges.get(edge, 0) + 1
