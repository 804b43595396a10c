"""A store in the memory of one process: the whole contract, nothing on disk."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice

from banditroute.errors import StoreError, UnknownDecisionError
from banditroute.learning.evidence import Evidence
from banditroute.records import Alarm, Feedback, Incident
from banditroute.routing.lessons import Edge, Lesson

from .checking import check_dispatch, check_incident, check_numbers, check_sums
from .judging import judgeable
from .noting import KEPT
from .packing import edges_of, unpacked
from .protocol import Deleted, Dispatch, Named, Settlement, State, StoredKey, Switch, Trail
from .roster import Roster
from .sharing import News, Report
from .tally import Tally
from .withdrawing import Withdrawn, withdrawal

_DEFAULT_KEPT = 10_000


@dataclass(slots=True)
class _Row:
    """What is on record of a decision; number is the settlement's place in their order."""

    dispatch: Dispatch
    settlement: Settlement | None = None
    number: int = 0
    feedback: dict[str, Feedback] = field(default_factory=dict[str, Feedback])

    def trail(self) -> Trail:
        if self.settlement is None:
            return Trail(self.dispatch)
        feedback = tuple(self.feedback.values())
        return Trail(self.dispatch, self.settlement.outcome, self.settlement.charges, feedback)

    def add_to(self, tally: Tally) -> None:
        tally.add(self.trail(), () if self.settlement is None else self.settlement.paces, self.number)


class MemoryStore:
    """Keeps everything in memory until the process ends; closing and opening again changes nothing.

    Args:
        kept: how many settled decisions are kept: the newest. What the others taught and spent stays.
        keep_prompts: whether the messages of a request are kept.
        clock: seconds, by which leases run out.
    """

    def __init__(
        self, *, kept: int = _DEFAULT_KEPT, keep_prompts: bool = False, clock: Callable[[], float] = time.time
    ) -> None:
        self._kept = kept
        self._keep_prompts = keep_prompts
        self._rows: dict[str, _Row] = {}
        self._settled: dict[str, None] = {}
        self._tally = Tally()
        self._retired = Tally()
        self._number = 0
        self._switches: dict[str, Switch] = {}
        self._keys: dict[str, StoredKey] = {}
        self._alarms: deque[Alarm] = deque(maxlen=kept)
        self._incidents: dict[Incident, None] = {}
        self._clock = clock
        self._roster = Roster()
        self._version = 1
        self._changed: dict[Edge, int] = {}  # the version at which each did so last
        self._open = False

    async def open(self) -> None:
        """Makes the store ready."""
        self._open = True

    def begin(self, dispatch: Dispatch) -> None:
        """Takes a decision in.

        Raises:
            InputError: a text in it is no Unicode.
            StoreError: the store is closed.
        """
        self._check_open()
        check_dispatch(dispatch)
        decision = dispatch.decision
        if decision.decision_id not in self._rows:
            kept = dispatch if self._keep_prompts or dispatch.prompt is None else replace(dispatch, prompt=None)
            self._rows[decision.decision_id] = _Row(kept)

    async def settle(self, settlement: Settlement) -> bool:
        """Writes an outcome and all that it changes; False where the decision already has one.

        Raises:
            UnknownDecisionError: the decision is not on record.
            InputError: a text in it is no Unicode.
            StoreError: the store is closed, or a lesson's inputs are not those that its edge has seen.
        """
        check_numbers(settlement.lessons, settlement.charges)
        row = self._row(settlement.outcome.decision_id)
        if row.settlement is not None:
            return False
        self._tally.check(settlement.lessons)
        row.settlement = settlement
        self._number += 1
        row.number = self._number
        self._learn(settlement.lessons)
        self._tally.charge(settlement.charges)
        self._tally.pace(settlement.paces, self._number)
        self._tally.pay(settlement.paces, settlement.outcome.cost_usd)
        self._settled[settlement.outcome.decision_id] = None
        if len(self._settled) > self._kept:
            self._retire([next(iter(self._settled))])
        return True

    async def judge(self, feedback: Feedback, lesson: Lesson) -> bool:
        """Writes a judgement and its lesson; False where that source already judged the decision.

        Raises:
            UnknownDecisionError: the decision is not on record.
            NotServedError: it has no answer that could be judged.
            InputError: a text in it is no Unicode.
            StoreError: the store is closed, or the lesson's inputs are not those that its edge has seen.
        """
        check_numbers((lesson,))
        row = self._row(feedback.decision_id)
        if feedback.source in row.feedback:
            return False
        judgeable(feedback.decision_id, None if row.settlement is None else row.settlement.outcome)
        self._tally.check((lesson,))
        row.feedback[feedback.source] = feedback
        self._learn((lesson,))
        return True

    async def trail(self, decision_id: str) -> Trail:
        """Everything on record of a decision.

        Raises:
            UnknownDecisionError: the decision is not on record.
            StoreError: the store is closed.
        """
        return self._row(decision_id).trail()

    async def find(self, named: Named, limit: int) -> list[Trail]:
        """The newest decisions that a caller named so, newest first; all that are kept are looked at."""
        self._check_open()
        fitting = (row.trail() for row in reversed(self._rows.values()) if named.fits(row.dispatch))
        return list(islice(fitting, limit))

    async def trails(self) -> AsyncIterator[Trail]:
        """Every decision on record, in the order in which they were taken in."""
        self._check_open()
        for decision_id in list(self._rows):
            row = self._rows.get(decision_id)
            if row is not None:
                yield row.trail()

    async def recent(self, limit: int) -> list[Trail]:
        """The newest decisions, newest first."""
        self._check_open()
        return [row.trail() for row in islice(reversed(self._rows.values()), limit)]

    async def unsettled(self) -> list[Dispatch]:
        """Decisions that have no outcome, oldest first."""
        self._check_open()
        return [row.trail().dispatch for row in self._rows.values() if row.settlement is None]

    async def state(self) -> State:
        """What the log amounts to."""
        self._check_open()
        return self._tally.state()

    async def alarms(self, limit: int) -> list[Alarm]:
        """The newest alarms, newest first."""
        self._check_open()
        return list(islice(reversed(self._alarms), limit))

    async def adjust(self, alarms: Sequence[Alarm], sums: Mapping[Edge, Evidence]) -> None:
        """Writes alarms and what they, and forgetting, add to the evidence, all or nothing.

        Raises:
            InputError: it is not finite.
            StoreError: the store is closed, or its inputs are not those that an edge has seen.
        """
        self._check_open()
        check_sums(sums)
        more = Tally.of(State(sums, {}, {}))
        self._tally.check_alike(more)
        self._alarms.extend(alarms)
        for tally in (self._tally, self._retired):
            tally.merge(more)
        self._change(sums)

    async def incidents(self, since: float, limit: int) -> list[Incident]:
        """The newest incidents from an instant on, newest first."""
        self._check_open()
        found = (incident for incident in self._incidents if incident.at >= since)
        return sorted(found, key=lambda incident: incident.at, reverse=True)[: max(limit, 0)]

    async def note(self, incident: Incident) -> None:
        """Keeps an incident, among the newest.

        Raises:
            InputError: a text in it is no Unicode, or its instant is not finite.
            StoreError: the store is closed.
        """
        self._check_open()
        check_incident(incident)
        self._incidents[incident] = None
        if len(self._incidents) > KEPT:
            del self._incidents[min(self._incidents, key=lambda incident: incident.at)]

    async def switches(self) -> list[Switch]:
        """Every switch as it was thrown last, sorted by name."""
        self._check_open()
        return sorted(self._switches.values(), key=lambda switch: switch.name)

    async def throw(self, switch: Switch) -> None:
        """Keeps how a switch was thrown, in the place of how it was before."""
        self._check_open()
        self._switches[switch.name] = switch

    async def keys(self) -> list[StoredKey]:
        """Every key of the gateway that was made, oldest first."""
        self._check_open()
        return sorted(self._keys.values(), key=lambda key: (key.created_at, key.key_id))

    async def keep_key(self, key: StoredKey) -> None:
        """Keeps a key of the gateway, in the place of what was kept of it before."""
        self._check_open()
        self._keys[key.key_id] = key

    async def rebuilt(self) -> State:
        """The same, computed anew from what is kept of the log and from what fell out of it."""
        self._check_open()
        retired = self._retired
        tally = Tally(retired.evidence, retired.spent_usd, retired.paces, retired.paid)
        for row in self._rows.values():
            row.add_to(tally)
        return tally.state()

    async def replace(self, state: State) -> None:
        """Puts another state in the place of the one that is kept."""
        self._check_open()
        self._tally = Tally.of(state, self._number)
        self._change(state.evidence)

    async def exchange(self, report: Report) -> News:
        """Takes in what a process tells and tells it the news.

        Raises:
            StoreError: the store is closed.
        """
        self._check_open()
        now, tally, roster = self._clock(), self._tally, self._roster
        roster.report(report, now)
        known = report.known if 0 < report.known <= self._version else -1
        return News(
            self._version,
            {edge: unpacked(sums) for edge, sums in tally.evidence.items() if self._changed.get(edge, 0) > known},
            dict(tally.paid),
            tuple(roster.grant(report, ask, tally.spent_usd.get(ask.window, 0.0), now) for ask in report.asks),
            tuple(sorted(name for name in roster.alive if name != report.holder)),
            roster.circuits(report.holder, now),
            on_duty=tuple(roster.alive[:1]) == (report.holder,),
        )

    async def prune(self, before: float) -> int:
        """Forgets settled decisions older than that instant; returns how many there were."""
        self._check_open()
        old = [decision_id for decision_id in self._settled if self._rows[decision_id].dispatch.decision.at < before]
        self._retire(old)
        return len(old)

    async def forget_prompts(self, before: float) -> int:
        """Forgets the messages of settled decisions older than that instant; returns how many had any."""
        self._check_open()
        rows = (self._rows[decision_id] for decision_id in self._settled)
        old = [row for row in rows if row.dispatch.prompt is not None and row.dispatch.decision.at < before]
        for row in old:
            row.dispatch = replace(row.dispatch, prompt=None)
        return len(old)

    async def delete_tenant(self, name: str, budgets: Collection[str] = ()) -> Deleted:
        """Forgets a tenant's settled decisions, what they taught, and its keys; what they spent stays."""
        self._check_open()
        own = [row for row in self._rows.values() if row.dispatch.decision.tenant == name]
        gone = [row for row in own if row.settlement is not None]
        counted, teaching = Withdrawn(), Tally()
        for row in gone:
            counted.count(row.trail())
            row.add_to(teaching)
        self._withdraw(teaching)
        for row in gone:
            del self._settled[row.dispatch.decision.decision_id], self._rows[row.dispatch.decision.decision_id]
        for tally in (self._tally, self._retired):
            tally.drop(budgets)
        keys = [key.key_id for key in self._keys.values() if key.tenant == name]
        for key_id in keys:
            del self._keys[key_id]
        return Deleted(counted.decisions, counted.judgements, counted.prompts, len(keys), len(own) - len(gone))

    async def aclose(self) -> None:
        """Closes the store; what is in it stays."""
        self._open = False

    def _learn(self, lessons: Collection[Lesson]) -> None:
        self._tally.learn(lessons)
        self._change(edge for lesson in lessons for edge in edges_of(lesson))

    def _change(self, edges: Iterable[Edge]) -> None:
        self._version += 1
        for edge in edges:
            self._changed[edge] = self._version

    def _retire(self, decision_ids: Iterable[str]) -> None:
        for decision_id in decision_ids:
            del self._settled[decision_id]
            self._rows.pop(decision_id).add_to(self._retired)

    def _withdraw(self, gone: Tally) -> None:
        """Takes what rows have taught out of the sums; what they spent is from now on that of rows that are gone."""
        off = withdrawal(gone.evidence, self._tally.evidence, self._retired.evidence)
        self._tally.merge(Tally(off.kept))
        self._retired.merge(Tally(off.retired, gone.spent_usd, gone.paces, gone.paid))
        self._change(off.kept)

    def _row(self, decision_id: str) -> _Row:
        self._check_open()
        row = self._rows.get(decision_id)
        if row is None:
            raise UnknownDecisionError(decision_id)
        return row

    def _check_open(self) -> None:
        if not self._open:
            raise StoreError("the store is closed; open it first")
