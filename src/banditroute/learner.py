"""The owner of what is learned and spent: every outcome and judgement goes to beliefs and store through it."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Coroutine, Iterator, Mapping
from dataclasses import replace
from typing import Any, TypeVar

from banditroute.alerting.lookout import Lookout
from banditroute.allowance import Allowance
from banditroute.errors import ConfigError, StoreError, UnknownDecisionError
from banditroute.fleet import Fleet
from banditroute.learning.evidence import Evidence
from banditroute.observe import (
    ClassesChanged,
    Drifted,
    Judged,
    Observer,
    Settled,
    StoreCrowded,
    StoreFailed,
    SwitchThrown,
)
from banditroute.records import Alarm, Decision, Feedback, Outcome
from banditroute.routing.budgets import Charge
from banditroute.routing.decider import Decider
from banditroute.routing.echoes import Echo, added_up
from banditroute.routing.guards import GuardSettings, Switchboard, SwitchName
from banditroute.routing.guards.switchboard import Switch
from banditroute.routing.ledger import KEPT_S, Ledger, Reservation
from banditroute.routing.lessons import IN_FLIGHT, Edge, Lesson, checked_quality, lesson_of, lessons_of
from banditroute.routing.meanings import REMEDY, Meanings, kept_meanings, kept_name, told
from banditroute.routing.pacers import PaceRecord
from banditroute.routing.shadow import Shadow
from banditroute.routing.trust import Judgement, Trust, TrustSettings
from banditroute.storage.giving_up import given_up
from banditroute.storage.judging import judgeable
from banditroute.storage.packing import sums_of, unpacked
from banditroute.storage.protocol import Dispatch, Settlement, State, Store, Trail
from banditroute.storage.sharing import News

T = TypeVar("T")

_TICK_S = 30.0
_PRUNE_EVERY_S = 3600.0
_FADE_EVERY_S = 600.0
_REFRESH_SHARE = 0.05  # of the time: a model that changes all the time must not take the requests' own
_REFRESH_SAVED_S = 0.25
_NEW_CLASSES = 'give them other names, or have it told only with on_new_classes = "warn"'


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
        fleet: tells other processes on the store, and hears of them; None = there are none.

    Attributes:
        looks_crowded: whether there are others all the same; None = nobody looks.
        meanings: how task classes are named.
        prompts_s: how long messages are kept, where that is shorter than their decision is.
        lookout: tells whoever runs the router what goes wrong, and keeps what happened; None = nobody does.
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
        fleet: Fleet | None = None,
    ) -> None:
        self.decider = decider
        self.ledger = ledger
        self.store = store
        self._observer = observer
        self._clock = clock
        self._retention_s = retention_s
        self._trust = Trust() if trust is None else trust
        self._begin_anew = begin_anew
        self.fleet = fleet
        self._shadow: Shadow | None = None
        self.looks_crowded: Callable[[], bool] | None = None
        self.meanings = Meanings()
        self.prompts_s: float | None = None
        self.lookout: Lookout | None = None
        self.switches = Switchboard(decider.steering, GuardSettings())
        self._newly_configured = self._newly_named = True
        self._pruned_at = 0.0
        self._faded_at = clock()
        self._housekeeping: asyncio.Task[None] | None = None
        self._writing: set[asyncio.Task[Any]] = set()
        self._refreshing: asyncio.Task[None] | None = None
        self._refresh_time = Allowance(_REFRESH_SHARE, _REFRESH_SAVED_S)

    async def __aenter__(self) -> Learner:
        await self.store.open()
        try:
            await self._restore()
        except BaseException:
            if self.fleet is not None:
                await self.fleet.leave()
            await self.store.aclose()
            raise
        self._housekeeping = asyncio.create_task(self._keep_house())
        if self.fleet is not None:
            self.fleet.begin()
        if self.lookout is not None:
            await self.lookout.begin(self)
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
            await asyncio.gather(self._refreshing, return_exceptions=True)
        await asyncio.gather(*self._writing, return_exceptions=True)
        if self.lookout is not None:
            await self.lookout.aclose()
        if self.fleet is not None:
            await self.fleet.leave()
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
        self._newly_configured = self._newly_named = True
        self._trust.follow(trust)
        self._retention_s = retention_s

    async def throw(self, name: SwitchName, value: str) -> None:
        """Throws a switch, for this process at once and for others and after a restart by the store.

        Raises:
            StoreError: it could not be written; in this process it is thrown all the same.
        """
        switch = self.switches.thrown(name, value, self._clock())
        self._observer.notify(SwitchThrown(name, value))
        await self.store.throw(switch)

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
        lessons, asked_in = lessons_of(decision, outcome), self._turn
        if first:
            self._take(decision, outcome, lessons, expected_usd, asked_in)
        settlement = Settlement(outcome, lessons, charges, self._paces(decision))
        if self.fleet is not None:
            self.fleet.telling(settlement)
        try:
            fresh = await self.store.settle(settlement)
        except (StoreError, UnknownDecisionError) as error:  # the store may have lost what it could not write
            if self.fleet is not None:
                self.fleet.not_told(settlement)
            self._observer.notify(StoreFailed("settle a decision", str(error)))
            if first:
                self._observer.notify(Settled(outcome, decision, recorded=False))
            return False
        except asyncio.CancelledError:
            self._go_on(self._written(decision, settlement))
            raise
        if fresh and not first:
            self._take(decision, outcome, lessons, asked_in=asked_in)
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
        asked_in = self._turn
        if not await self.store.judge(judged.feedback, lesson):
            return False
        self._learn((lesson,), asked_in)
        self._observer.notify(judged)
        return True

    def _take(
        self,
        decision: Decision,
        outcome: Outcome,
        lessons: tuple[Lesson, ...],
        expected_usd: float | None = None,
        asked_in: int = 0,
    ) -> None:
        task = decision.context.task
        self.decider.spend(outcome.cost_usd, tenant=decision.tenant, task=task, expected_usd=expected_usd)
        self.decider.settled(decision, outcome)
        if self._shadow is not None:
            self._shadow.settled(outcome)
        if self.decider.beliefs.alarmed:
            self._raise_alarms()
        self._learn(lessons, asked_in)
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
            if self.fleet is not None:
                self.fleet.not_told(settlement)
            self._observer.notify(StoreFailed("settle a decision", str(error)))
        self._observer.notify(Settled(settlement.outcome, decision, recorded))

    async def leased(self, begin: Callable[[], T]) -> T:
        """What `begin` returns; it may have to wait for dollars of caps that other processes spend too.

        Raises:
            LeaseExceededError: `begin` did, in spite of it.
        """
        return begin() if self.fleet is None else await self.fleet.leased(begin)

    @property
    def holder(self) -> str:
        """This process's name among those on the store; empty where it is alone."""
        return "" if self.fleet is None else self.fleet.holder

    @property
    def _turn(self) -> int:
        """Which exchange with other processes what is asked to be written now comes after."""
        return 0 if self.fleet is None else self.fleet.echoes.turn

    def _learn(self, lessons: tuple[Lesson, ...], asked_in: int) -> None:
        """Takes in lessons that the store was asked to write after an exchange of that turn."""
        if self.fleet is not None:
            if self.fleet.echoes.is_among(asked_in):
                return
            self.fleet.echoes.taught(lessons, asked_in)
        for lesson in lessons:
            self.decider.take(lesson)
        if self._shadow is not None:
            self._shadow.take(lessons)
        self._refresh_soon()

    def _refresh_soon(self) -> None:
        if self.decider.refresh_due and self._refreshing is None:  # soon, not now: an answer may be waiting
            self._refreshing = asyncio.create_task(self._refresh())

    async def _refresh(self) -> None:
        """Solves what was learned anew, a part at a time: requests that come meanwhile wait for no more than that."""
        try:
            await asyncio.sleep(self._refresh_time.wait_s(time.monotonic()))
            began = time.monotonic()
            for _ in self.refreshing() if self.decider.refresh_due else ():
                self._refresh_time.spent((ended := time.monotonic()) - began, ended)
                await asyncio.sleep(0)
                began = time.monotonic()
        finally:
            self._refreshing = None

    def refreshing(self) -> Iterator[None]:
        """Solves what was learned anew, in steps between which requests can be served."""
        self._raise_alarms()
        yield from self.decider.beliefs.refreshing()
        yield
        if self._shadow is not None:
            self._shadow.refresh()
        yield

    def _raise_alarms(self) -> None:
        """Tells of changes that came to light, and has written what they added to the evidence."""
        alarms, moves = self.decider.beliefs.take_alarms(self._clock()), self.decider.beliefs.take_moves()
        for alarm in alarms:
            self._observer.notify(Drifted(alarm))
        if alarms or moves:
            echo = None if self.fleet is None else self.fleet.echoes.moved(moves)
            self._go_on(self._adjusted(alarms, moves, echo))

    async def _adjusted(self, alarms: tuple[Alarm, ...], moves: Mapping[Edge, Evidence], echo: Echo | None) -> None:
        if echo is not None:
            echo.asked_in = self._turn
        try:
            await self.store.adjust(alarms, moves)
        except StoreError as error:
            self._observer.notify(StoreFailed("write what a change of a model teaches", str(error)))

    def _fade(self, now: float) -> None:
        """Lets what was learned fade by the time that has passed; of several processes, one does."""
        elapsed_s, self._faded_at = now - self._faded_at, now
        if not self.on_duty:
            return
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
        await self._take_up_meanings()
        if self._shadow is not None:
            self._shadow.restore(state.evidence, state.paces.values())
        self.ledger.restore(state.spent_usd)
        if self.fleet is None:
            await self.give_up(frozenset())
        else:
            await self.fleet.join(self)

    @property
    def on_duty(self) -> bool:
        """Whether this process does what one has to do for all on the store."""
        return self.fleet is None or self.fleet.on_duty

    def hear(self, news: News, *, everything: bool) -> None:
        """Takes up what all processes on the store have learned, what this one has taken in since kept."""
        assert self.fleet is not None, "it brings the news"
        self._raise_alarms()
        lessons, moves = self.fleet.echoes.heard()
        if not news.evidence:
            return
        taught = {edge: unpacked(sums) for edge, sums in sums_of(lessons).items()}
        own = added_up((taught, *moves))
        added = self.decider.beliefs.hear(news.evidence, own, everything=everything, mend=self.on_duty)
        if self._shadow is not None:
            self._shadow.hear(added)
        self._refresh_soon()

    def hear_paid(self, budget: str, requests: int, usd: float) -> None:
        """Paces by what other processes have served as well."""
        self.decider.pacers.hear(budget, requests, usd, self._clock())

    async def give_up(self, alive: frozenset[str]) -> None:
        """Ends what is on its way of processes that are not there: of their calls nobody will hear the answer.

        Dollars of calls that callers make themselves are held here from now on.

        Raises:
            StoreError: it could not all be.
        """
        now = self._clock()
        for dispatch in await self.store.unsettled():
            if dispatch.holder in alive:
                continue
            if not dispatch.by_caller:
                await self._give_up(dispatch)
            elif dispatch.expires_at > now:
                self.ledger.hold(_reservation(dispatch))

    async def _take_up_switches(self) -> None:
        """Throws the switches that are kept; those that a new configuration overrules are kept no longer."""
        for switch in await self.store.switches():
            if switch.name not in self.switches.values:
                continue
            if not self.switches.take_up(switch) and self._newly_configured:
                await self.store.throw(self.switches.as_configured(switch.name, self._clock()))
        self._newly_configured = False

    async def _take_up_meanings(self) -> None:
        """Says so where classes are named otherwise than when they were learned of, and keeps how they are now.

        Raises:
            ConfigError: that is not to be, and this is a start.
        """
        known = kept_meanings({switch.name: switch.value for switch in await self.store.switches()})
        changed = self.meanings.changed(known, {edge.task for edge in self.decider.beliefs.learned})
        if changed and self.meanings.refuse and self._housekeeping is None:
            raise ConfigError(told(changed), remedy=_NEW_CLASSES, field="routing.on_new_classes")
        if changed:
            self._observer.notify(ClassesChanged(changed, f"{told(changed)}; {REMEDY}"))
        for task, now in self.meanings.by_class.items():
            if known.get(task) != now:
                await self.store.throw(Switch(kept_name(task), now, self._clock()))
        self._newly_named = False

    async def _give_up(self, dispatch: Dispatch) -> None:
        """Settles a decision whose process ended: its call may have been billed, so what was expected of it is charged.

        The call is dead whatever its reservation says, for only the process that made it could have had its answer.
        """
        decision = dispatch.decision
        ended = given_up(dispatch, self._clock())
        outcome, charges = ended.outcome, ended.charges
        if self.fleet is not None:  # another may be settling it at this moment, and its dollars are heard of by all
            await self._settle_for_gone(decision, Settlement(outcome, (), charges, self._paces(decision)))
            return
        for charge in charges:
            self.ledger.restore({charge.window: charge.usd})
        await self.settle(decision, outcome, charges, first=True)

    async def _settle_for_gone(self, decision: Decision, settlement: Settlement) -> None:
        """Settles what another process had on its way, unless it is settled."""
        if await self.store.settle(settlement):
            self._observer.notify(Settled(settlement.outcome, decision))

    async def _keep_house(self) -> None:
        """Lets go of reservations whose time is over and of decisions whose retention is, now and then."""
        while True:
            try:
                await self._put_in_order(self._clock())
            except Exception as error:  # noqa: BLE001 - the edge of a loop that nobody waits for: told, and it goes on
                context = {"message": "the router's house was not kept", "exception": error}
                asyncio.get_running_loop().call_exception_handler(context)
            await asyncio.sleep(_TICK_S)

    async def _put_in_order(self, now: float) -> None:
        self.ledger.expire(now)
        await self._follow_switches()
        self._look_around()
        if now - self._faded_at >= _FADE_EVERY_S:
            self._fade(now)
        if self.on_duty and now - self._pruned_at >= _PRUNE_EVERY_S:
            self._pruned_at = now
            try:
                await self._clean_up(now)
            except StoreError as error:
                self._observer.notify(StoreFailed("prune old decisions", str(error)))

    async def _clean_up(self, now: float) -> None:
        """Forgets decisions whose retention is over, and messages whose own is."""
        if self._retention_s is not None:
            await self._forget(now)
            await self.store.prune(now - self._retention_s)
        if self.prompts_s is not None:
            await self.store.forget_prompts(now - self.prompts_s)

    def _look_around(self) -> None:
        """Says so, once, where another process writes into the store that this one has for itself."""
        if self.looks_crowded is not None and self.looks_crowded():
            self.looks_crowded = None
            self._observer.notify(StoreCrowded("set shared = true in [store] of every process that uses it"))

    async def _follow_switches(self) -> None:
        """Throws the switches that another process on the same store has thrown."""
        try:
            await self._take_up_switches()
            if self._newly_named:
                await self._take_up_meanings()
        except StoreError as error:
            self._observer.notify(StoreFailed("read the switches", str(error)))

    async def _forget(self, now: float) -> None:
        """Ends decisions whose call a caller was to make and never recorded: there is nothing to wait for any more."""
        for dispatch in await self.store.unsettled():
            if dispatch.by_caller and dispatch.expires_at + KEPT_S < now:
                await self.store.settle(given_up(dispatch, now))


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
