"""The owner of what is learned and spent: every outcome and judgement goes to beliefs and store through it."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import replace
from typing import Any, TypeVar

from banditroute.allowance import Allowance
from banditroute.errors import ConfigError, StoreError, UnknownDecisionError
from banditroute.learning.evidence import Evidence
from banditroute.observe import Drifted, Judged, Observer, Settled, StoreFailed
from banditroute.records import Alarm, Decision, Feedback, Outcome
from banditroute.routing.budgets import Charge
from banditroute.routing.decider import Decider
from banditroute.routing.guards import GuardSettings, Switchboard, SwitchName
from banditroute.routing.ledger import KEPT_S, Ledger, Reservation
from banditroute.routing.lessons import IN_FLIGHT, Edge, Lesson, checked_quality, lesson_of, lessons_of
from banditroute.routing.pacers import PaceRecord
from banditroute.routing.shadow import Shadow
from banditroute.routing.trust import Judgement, Trust, TrustSettings
from banditroute.storage.judging import judgeable
from banditroute.storage.protocol import Dispatch, Settlement, State, Store, Trail

T = TypeVar("T")

_TICK_S = 30.0
_PRUNE_EVERY_S = 3600.0
_FADE_EVERY_S = 600.0
_REFRESH_SHARE = 0.05  # of the time: a model that changes all the time must not take the requests' own
_REFRESH_SAVED_S = 0.25


class Learner:
    """Keeps beliefs, budgets and store in step; `async with` restores them and keeps house in the background.

    Args:
        decider: the beliefs and the paced budgets.
        ledger: the caps.
        store: where it is all kept.
        observer: is told of what is settled, judged, and could not be written.
        clock: seconds since the epoch.
        retention_s: how long decisions are kept; None = for good.
        trust: how much each judgement counts; None = by the defaults.
        begin_anew: start even where all that the store knows was learned with another encoder's features.
    """

    def __init__(
        self,
        decider: Decider,
        ledger: Ledger,
        store: Store,
        observer: Observer,
        clock: Callable[[], float],
        retention_s: float | None = None,
        trust: Trust | None = None,
        *,
        begin_anew: bool = False,
    ) -> None:
        self.decider = decider
        self.ledger = ledger
        self.store = store
        self._observer = observer
        self._clock = clock
        self._retention_s = retention_s
        self._trust = Trust() if trust is None else trust
        self._begin_anew = begin_anew
        self._shadow: Shadow | None = None
        self.switches = Switchboard(decider.steering, GuardSettings())
        self._newly_configured = True
        self._pruned_at = 0.0
        self._faded_at = clock()
        self._housekeeping: asyncio.Task[None] | None = None
        self._writing: set[asyncio.Task[Any]] = set()
        self._refreshing: asyncio.Handle | None = None
        self._refresh_time = Allowance(_REFRESH_SHARE, _REFRESH_SAVED_S)

    async def __aenter__(self) -> Learner:
        await self.store.open()
        try:
            await self._restore()
        except BaseException:
            await self.store.aclose()
            raise
        self._housekeeping = asyncio.create_task(self._keep_house())
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Stops the background work and closes the store; a second call does nothing."""
        if self._housekeeping is not None:
            self._housekeeping.cancel()
            await asyncio.gather(self._housekeeping, return_exceptions=True)
            self._housekeeping = None
            self._fade(self._clock())
        if self._refreshing is not None:
            self._refreshing.cancel()
        await asyncio.gather(*self._writing, return_exceptions=True)
        await self.store.aclose()

    def follow(
        self,
        decider: Decider,
        shadow: Shadow | None,
        trust: TrustSettings,
        retention_s: float | None,
        guard: GuardSettings,
    ) -> None:
        """Teaches another decider and shadow from now on, which know already what these know."""
        self._raise_alarms()
        self.decider = decider
        self._shadow = shadow
        self.switches.follow(decider.steering, guard)
        self._newly_configured = True
        self._trust.follow(trust)
        self._retention_s = retention_s

    async def throw(self, name: SwitchName, value: str) -> None:
        """Throws a switch, for this process at once and for others and after a restart by the store.

        Raises:
            StoreError: it could not be written; in this process it is thrown all the same.
        """
        await self.store.throw(self.switches.thrown(name, value, self._clock()))

    async def settle(
        self,
        decision: Decision,
        outcome: Outcome,
        charges: tuple[Charge, ...],
        *,
        first: bool,
        expected_usd: float | None = None,
    ) -> bool:
        """Takes in an outcome; whether it is in the store for good.

        A store that fails is reported and does not keep the outcome from being learned of.

        Args:
            decision: what was decided.
            outcome: what came of it.
            charges: what it spends of the caps.
            first: no other outcome of the decision can have been taken in; otherwise the store says whether one has.
            expected_usd: what the paced budgets were told to expect of it.
        """
        lessons = lessons_of(decision, outcome)
        if first:
            self._take(decision, outcome, lessons, expected_usd)
        settlement = Settlement(outcome, lessons, charges, self._paces(decision))
        try:
            fresh = await self.store.settle(settlement)
        except (StoreError, UnknownDecisionError) as error:  # the store may have lost what it could not write
            self._observer.notify(StoreFailed("settle a decision", str(error)))
            if first:
                self._observer.notify(Settled(outcome, decision, recorded=False))
            return False
        except asyncio.CancelledError:
            self._go_on(self._written(decision, settlement))
            raise
        if fresh and not first:
            self._take(decision, outcome, lessons)
        if fresh or first:
            self._observer.notify(Settled(outcome, decision))
        return fresh or not first

    async def judge(self, feedback: Feedback) -> bool:
        """Takes in a judgement; False where that source already judged the decision.

        Raises:
            FeedbackError: the quality is out of range.
            UnknownDecisionError: the decision is not on record.
            NotServedError: it has no answer that could be judged.
            StoreError: the judgement could not be written.
        """
        trail = await self.store.trail(feedback.decision_id)
        outcome = judgeable(feedback.decision_id, trail.outcome)
        checked_quality(feedback.quality)
        if all(known.source != feedback.source for known in trail.feedback):
            feedback = replace(feedback, weight=feedback.weight * self._weight(feedback, trail, outcome))
        lesson = lesson_of(trail.decision, outcome, feedback)
        # A caller that leaves now does not stop the store, so it must not stop the learning either.
        judged = Judged(feedback, trail.decision, outcome, first=not trail.feedback)
        return await asyncio.shield(self._go_on(self._judged(judged, lesson)))

    def _weight(self, feedback: Feedback, trail: Trail, outcome: Outcome) -> float:
        """How much to believe a judgement."""
        forecast = trail.decision.forecasts.get(outcome.served)
        judgement = Judgement(
            trail.decision.tenant,
            feedback.source,
            feedback.quality,
            None if forecast is None else min(max(forecast.quality, 0.0), 1.0),
            tuple(known.source for known in trail.feedback),
        )
        return self._trust.weigh(judgement, self._clock())

    async def _judged(self, judged: Judged, lesson: Lesson) -> bool:
        if not await self.store.judge(judged.feedback, lesson):
            return False
        self._learn((lesson,))
        self._observer.notify(judged)
        return True

    def _take(
        self, decision: Decision, outcome: Outcome, lessons: tuple[Lesson, ...], expected_usd: float | None = None
    ) -> None:
        task = decision.context.task
        self.decider.spend(outcome.cost_usd, tenant=decision.tenant, task=task, expected_usd=expected_usd)
        self.decider.settled(decision, outcome)
        if self._shadow is not None:
            self._shadow.settled(outcome)
        if self.decider.beliefs.alarmed:
            self._raise_alarms()
        self._learn(lessons)
        for event in self.decider.steering.drain():
            self._observer.notify(event)

    def _go_on(self, writing: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Has something written whether or not anybody waits for it; `aclose` does."""
        task = asyncio.create_task(writing)
        self._writing.add(task)
        task.add_done_callback(self._writing.discard)
        return task

    async def _written(self, decision: Decision, settlement: Settlement) -> None:
        """Writes what a cancelled caller no longer waits for; where it was written already, that changes nothing."""
        recorded = True
        try:
            await self.store.settle(settlement)
        except (StoreError, UnknownDecisionError) as error:
            recorded = False
            self._observer.notify(StoreFailed("settle a decision", str(error)))
        self._observer.notify(Settled(settlement.outcome, decision, recorded))

    def _learn(self, lessons: tuple[Lesson, ...]) -> None:
        for lesson in lessons:
            self.decider.take(lesson)
        if self._shadow is not None:
            self._shadow.take(lessons)
        if self.decider.refresh_due and self._refreshing is None:  # soon, not now: an answer may be waiting
            wait_s, loop = self._refresh_time.wait_s(time.monotonic()), asyncio.get_running_loop()
            self._refreshing = loop.call_later(wait_s, self._refresh) if wait_s else loop.call_soon(self._refresh)

    def _refresh(self) -> None:
        self._refreshing, began = None, time.monotonic()
        self._raise_alarms()
        self.decider.refresh()
        if self._shadow is not None:
            self._shadow.refresh()
        self._refresh_time.spent((ended := time.monotonic()) - began, ended)

    def _raise_alarms(self) -> None:
        """Tells of changes that came to light, and has written what they added to the evidence."""
        alarms, moves = self.decider.beliefs.take_alarms(self._clock()), self.decider.beliefs.take_moves()
        for alarm in alarms:
            self._observer.notify(Drifted(alarm))
        if alarms or moves:
            self._go_on(self._adjusted(alarms, moves))

    async def _adjusted(self, alarms: tuple[Alarm, ...], moves: Mapping[Edge, Evidence]) -> None:
        try:
            await self.store.adjust(alarms, moves)
        except StoreError as error:
            self._observer.notify(StoreFailed("write what a change of a model teaches", str(error)))

    def _fade(self, now: float) -> None:
        """Lets what was learned fade by the time that has passed."""
        elapsed_s, self._faded_at = now - self._faded_at, now
        self.decider.beliefs.forget(elapsed_s)
        if self._shadow is not None:
            self._shadow.forget(elapsed_s)
        self._raise_alarms()

    def _paces(self, decision: Decision) -> tuple[PaceRecord, ...]:
        """Where the paced budgets stand that the decision moves, and a shadow's."""
        moved = self.decider.paces_of(decision)
        return moved if self._shadow is None else (*moved, *self._shadow.paces)

    async def _restore(self) -> None:
        """Takes up what the store knows; what was on its way when the last process ended is held or given up."""
        state = await self.store.state()
        if not self._begin_anew:
            _check_encoder(state, self.decider.beliefs.encoder_version)
        await self._take_up_switches()
        self.decider.restore(state.evidence, state.paces.values())
        if self._shadow is not None:
            self._shadow.restore(state.evidence, state.paces.values())
        self.ledger.restore(state.spent_usd)
        now = self._clock()
        for dispatch in await self.store.unsettled():
            if dispatch.by_caller:
                if dispatch.expires_at > now:
                    self.ledger.hold(_reservation(dispatch))
            else:
                await self._give_up(dispatch)

    async def _take_up_switches(self) -> None:
        """Throws the switches that are kept; those that a new configuration overrules are kept no longer."""
        for switch in await self.store.switches():
            if not self.switches.take_up(switch) and self._newly_configured:
                await self.store.throw(self.switches.as_configured(switch.name, self._clock()))
        self._newly_configured = False

    async def _give_up(self, dispatch: Dispatch) -> None:
        """Settles a decision whose process ended: its call may have been billed, so what was expected of it is charged.

        The call is dead whatever its reservation says, for only the process that made it could have had its answer.
        """
        decision = dispatch.decision
        forecast = decision.forecasts.get(decision.chosen)
        cost_usd = 0.0 if forecast is None else forecast.cost_usd
        charges = tuple(Charge(window, cost_usd) for window in dispatch.windows)
        for charge in charges:
            self.ledger.restore({charge.window: charge.usd})
        outcome = Outcome(decision.decision_id, "", self._clock(), None, cost_usd, 0.0, ok=False, estimated=True)
        await self.settle(decision, outcome, charges, first=True)

    async def _keep_house(self) -> None:
        """Lets go of reservations whose time is over and of decisions whose retention is."""
        while True:
            now = self._clock()
            self.ledger.expire(now)
            await self._follow_switches()
            if now - self._faded_at >= _FADE_EVERY_S:
                self._fade(now)
            if self._retention_s is not None and now - self._pruned_at >= _PRUNE_EVERY_S:
                self._pruned_at = now
                try:
                    await self._forget(now)
                    await self.store.prune(now - self._retention_s)
                except StoreError as error:
                    self._observer.notify(StoreFailed("prune old decisions", str(error)))
            await asyncio.sleep(_TICK_S)

    async def _follow_switches(self) -> None:
        """Throws the switches that another process on the same store has thrown."""
        try:
            await self._take_up_switches()
        except StoreError as error:
            self._observer.notify(StoreFailed("read the switches", str(error)))

    async def _forget(self, now: float) -> None:
        """Ends decisions whose call a caller was to make and never recorded: there is nothing to wait for any more."""
        for dispatch in await self.store.unsettled():
            if dispatch.by_caller and dispatch.expires_at + KEPT_S < now:
                outcome = Outcome(dispatch.decision.decision_id, "", now, None, 0.0, 0.0, ok=False)
                await self.store.settle(Settlement(outcome))


def _check_encoder(state: State, version: str) -> None:
    """Makes sure that something of what is known was learned with this encoder's features, or that nothing is known.

    Raises:
        ConfigError: all of it was learned with others': features of two encoders do not mix.
    """
    seen: Counter[str] = Counter()
    for edge, sums in state.evidence.items():
        if edge.encoder_version != IN_FLIGHT:
            seen[edge.encoder_version] += int(sums.n)
    if seen[version] or not seen.total():
        return
    other, observations = seen.most_common(1)[0]
    raise ConfigError(
        f"the store's {observations:,} observations were made with the encoder {other!r}, this one is {version!r}: "
        "their features do not mix",
        remedy="bring them over with `banditroute rebuild --reencode`, go back to that encoder, or begin anew with "
        'on_new_encoder = "restart"',
        field="routing.encoder",
    )


def _reservation(dispatch: Dispatch) -> Reservation:
    return Reservation(dispatch.decision.decision_id, dispatch.reserved_usd, dispatch.windows, dispatch.expires_at)
