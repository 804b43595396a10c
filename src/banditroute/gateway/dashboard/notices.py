"""What whoever watches should hear of, in words: alarms, outages, changes of stage, and what operators did."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from banditroute.observe import (
    Alerted,
    BestDoubted,
    BestFound,
    BreakerChanged,
    BudgetExhausted,
    ClassesChanged,
    Drifted,
    Event,
    KeyChanged,
    PeersChanged,
    Reloaded,
    ReloadFailed,
    RolloutChanged,
    ShadowFailed,
    StoreCrowded,
    StoreFailed,
    SwitchPassedOver,
)
from banditroute.records import Alarm, Alert
from banditroute.reports import format as write
from banditroute.reports.store.alarms import before_and_after, confidence_of, signal_of

Weight = Literal["note", "good", "warning"]

_MOST = 60
_TOLD_ONLY_SO = frozenset(("budget", "forecast", "provider", "model", "feedback"))  # other alerts are events as well


@dataclass(frozen=True, slots=True)
class Notice:
    """One of them.

    Attributes:
        at: when it happened last, seconds since the epoch.
        kind: what it is about, in a word or two.
        weight: whether it is a good thing.
        text: what happened; holds neither prompts nor keys.
        times: how often it happened in a row.
    """

    at: float
    kind: str
    weight: Weight
    text: str
    times: int = 1


class Notices:
    """The newest; what happens again and again is one of them."""

    def __init__(self) -> None:
        self._notices: deque[Notice] = deque(maxlen=_MOST)

    def __iter__(self) -> Iterator[Notice]:
        """Newest first."""
        return reversed(self._notices)

    def add(self, notice: Notice) -> None:
        """Takes one in."""
        last = self._notices[-1] if self._notices else None
        if last is not None and (last.kind, last.text) == (notice.kind, notice.text):
            self._notices[-1] = Notice(notice.at, notice.kind, notice.weight, notice.text, last.times + 1)
        else:
            self._notices.append(notice)


def notice_of(event: Event, now: float) -> Notice | None:
    """The notice for an event; None where it is an everyday one."""
    match event:
        case Drifted() | Alerted():
            return _noticed(event)
        case BreakerChanged(_, "half_open"):
            return None  # it comes and goes with every probe
        case BreakerChanged() | KeyChanged() | SwitchPassedOver() | RolloutChanged():
            return _of_model(event, now)
        case BestFound(task, model, confidence):
            return Notice(now, "best model", "good", f"{task}: {model} is the best, {write.percent(confidence)} sure")
        case BestDoubted(task, model, reason):
            return Notice(now, "best model", "note", f"{task}: {model} may not be the best any more, {reason}")
        case BudgetExhausted(budget, _, rejected):
            came = "requests are turned down" if rejected else "the cheapest model serves"
            return Notice(now, "budget", "warning", f"{budget} is spent: {came}")
        case StoreFailed() | ShadowFailed() | Reloaded() | ReloadFailed() | ClassesChanged():
            return _of_the_router(event, now)
        case StoreCrowded(remedy):
            return Notice(now, "store", "warning", f"another process writes into it too: {remedy}")
        case PeersChanged(joined, left, present):
            came = [f"{len(names)} {word}" for names, word in ((joined, "joined"), (left, "left")) if names]
            return Notice(now, "processes", "note", f"{', '.join(came)}: {len(present) + 1} share the store")
        case _:
            return None


def of_alarm(alarm: Alarm) -> Notice:
    """The notice for a change of a model that nobody announced."""
    before, after = before_and_after(alarm)
    where = f" in {alarm.task}" if alarm.task else ""
    text = (
        f"{alarm.model}: {signal_of(alarm)}{where} went from {before} to {after}, "
        f"by {write.plural(alarm.seen, 'observation')}, {confidence_of(alarm)} sure"
    )
    return Notice(alarm.at, "model changed", "warning", text)


def _noticed(event: Drifted | Alerted) -> Notice | None:
    if isinstance(event, Drifted):
        return of_alarm(event.alarm)
    return of_alert(event.alert) if "dashboard" in event.to and event.alert.kind in _TOLD_ONLY_SO else None


def of_alert(alert: Alert) -> Notice:
    """The notice for what whoever runs the router was told of."""
    weight: Weight = "good" if alert.state == "over" else "warning"
    return Notice(alert.at, f"alert: {alert.kind}", weight, f"{alert.text}{alert.cause and f'; {alert.cause}'}")


def _of_the_router(event: StoreFailed | ShadowFailed | Reloaded | ReloadFailed | ClassesChanged, now: float) -> Notice:
    match event:
        case ClassesChanged(problem=problem):
            return Notice(now, "task classes", "warning", problem)
        case StoreFailed(doing, problem):
            return Notice(now, "store", "warning", f"could not {doing}: {problem}")
        case ShadowFailed(shadow, doing, problem):
            return Notice(now, "shadow", "warning", f"{shadow} could not {doing}: {problem}")
        case Reloaded(changes):
            return Notice(now, "configuration", "note", f"reloaded: {changes}")
        case ReloadFailed(problem):
            return Notice(now, "configuration", "warning", f"not reloaded: {problem}")


def _of_model(event: BreakerChanged | KeyChanged | SwitchPassedOver | RolloutChanged, now: float) -> Notice:
    match event:
        case BreakerChanged(model, state, reason):
            weight: Weight = "good" if state == "closed" else "warning"
            return Notice(now, "circuit", weight, f"{model}: {state}{f', {reason}' if reason else ''}")
        case KeyChanged(provider, key, reason):
            came = f"out of use: {reason}" if reason else "in use again"
            return Notice(now, "provider key", "warning" if reason else "good", f"{provider}, key {key}: {came}")
        case SwitchPassedOver(model):
            return Notice(now, "kill switch", "warning", f"{model} cannot serve: others serve in its stead")
        case RolloutChanged(model, stage, reason):
            return Notice(now, "newcomer", "note", f"{model}: {stage}{f', {reason}' if reason else ''}")
