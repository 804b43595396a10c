"""Everything that is watched, as one pure state machine: events and looks in, alerts out."""

from __future__ import annotations

from collections.abc import Iterable

from banditroute.observe import (
    BreakerChanged,
    BudgetExhausted,
    Drifted,
    Event,
    Judged,
    Reloaded,
    ReloadFailed,
    RolloutChanged,
    Settled,
    StoreFailed,
)
from banditroute.records import Alarm, Alert
from banditroute.routing.standings import OPEN, ROLLED_BACK
from banditroute.routing.tasks import is_judging
from banditroute.storage.protocol import Trail

from .faults import Faults
from .outages import Outages
from .register import Finding, Register
from .settings import AlertSettings, Kind
from .silence import Silence
from .spending import Spending
from .view import View

OWN: frozenset[Kind] = frozenset(("store", "reload"))
"""Kinds that every process tells of itself; the others are told by one for all that share a store."""

_OF_ALL: frozenset[Kind] = frozenset(("budget", "forecast", "provider", "feedback"))


class Watch:
    """Watches a router; no clock, one owner.

    Args:
        settings: from when on something is told; may be replaced.
    """

    def __init__(self, settings: AlertSettings) -> None:
        self.settings = settings
        self.register = Register(settings.repeat_s)
        self.silence = Silence()
        self._spending = Spending()
        self._outages = Outages()
        self._faults = Faults()

    def follow(self, settings: AlertSettings) -> None:
        """Goes by other settings from now on."""
        self.settings = settings
        self.register.repeat_s = settings.repeat_s

    def hear(self, event: Event, now: float) -> list[Alert]:
        """Takes in an event; what to tell at once."""
        match event:
            case Settled():
                self._settled(event, now)
            case Judged(feedback, decision, _):
                self._faults.written()
                self.silence.judged(decision.context.task, feedback.source, now)
            case BudgetExhausted(budget, _, rejected):
                self._spending.exhausted(budget, rejected=rejected)
            case BreakerChanged(model, state, reason):
                self._outages.circuit(model, state, reason)
            case StoreFailed(doing, problem):
                self._faults.store_failed(doing, problem, now)
                return self._own(now)
            case ReloadFailed(problem):
                self._faults.reload_failed(problem)
                return self._own(now)
            case Reloaded():
                self._faults.reloaded()
                return self._own(now)
            case Drifted(alarm):
                return self.register.happened(_drift(alarm), now)
            case RolloutChanged(model, stage, reason) if stage in (OPEN, ROLLED_BACK):
                return self.register.happened(_newcomer(model, stage, reason), now)
            case _:
                pass
        return []

    def look(self, view: View, now: float) -> list[Alert]:
        """Looks at all that is watched; what to tell of it."""
        settings = self.settings
        findings = (
            *self._spending.marks(view, settings),
            *self._spending.forecasts(view, settings, now),
            *self._outages.look(view, settings, now),
            *self.silence.look(settings),
        )
        return [*self._own(now), *self.register.update(_OF_ALL, findings, now)]

    def recall(self, trails: Iterable[Trail]) -> None:
        """Takes in who judged what on record, so that a process that begins knows what is usual."""
        heard: list[tuple[float, str, str]] = []
        for trail in trails:
            task, outcome = trail.decision.context.task, trail.outcome
            if outcome is not None and outcome.ok and not is_judging(task):
                heard.append((outcome.at, task, ""))
                heard.extend((feedback.at, task, feedback.source) for feedback in trail.feedback)
        for at, task, source in sorted(heard):
            self.silence.judged(task, source, at) if source else self.silence.answered(task, at)

    def _settled(self, event: Settled, now: float) -> None:
        if event.recorded:
            self._faults.written()
        task = event.decision.context.task
        if event.outcome.ok and not is_judging(task):
            self.silence.answered(task, now)

    def _own(self, now: float) -> list[Alert]:
        return self.register.update(OWN, self._faults.look(self.settings, now), now)


def _drift(alarm: Alarm) -> Finding:
    went = "rose" if alarm.after > alarm.before else "fell"
    where = f", first seen in {alarm.task}" if alarm.task else ""
    text = f"model {alarm.model} has changed: {alarm.signal} {went} from {alarm.before:.3g} to {alarm.after:.3g}{where}"
    cause = f"its last {alarm.seen} observations say so, {min(alarm.confidence, 0.9999):.2%} sure that it is no chance"
    return Finding("drift", f"{alarm.model} {alarm.signal} {went}", text, cause)


def _newcomer(model: str, stage: str, reason: str) -> Finding:
    came = "promoted: it takes part like any other" if stage == OPEN else "rolled back: it is tried now and then only"
    return Finding("newcomer", model, f"newcomer {model} is {came}", reason, which=stage)
