"""Counts events that are rare: what goes wrong, what changes, and what was noticed of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

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
    NotGraded,
    PeersChanged,
    Reloaded,
    ReloadFailed,
    RolloutChanged,
    Settled,
    ShadowFailed,
    StoreCrowded,
    StoreFailed,
    SwitchPassedOver,
    SwitchThrown,
)

from .families import Family, Labels, Readings, counter, gauge
from .tallies import MOST_TASKS, Names

BREAKERS = counter(
    "banditroute_breaker_changes_total", "Changes of models' circuits, by what they became.", "model", "state"
)
KEYS = counter("banditroute_key_failures_total", "Times that a key went out of use.", "provider")
EXHAUSTED = counter(
    "banditroute_budget_exhausted_total",
    "Requests that came to a cap that was reached, by what became of them: rejected or cheapest.",
    "budget",
    "outcome",
)
STORE = counter("banditroute_store_failures_total", "What could not be read or written.", "doing")
UNRECORDED = counter("banditroute_unrecorded_outcomes_total", "Outcomes that the store does not have.")
ALARMS = counter("banditroute_drift_alarms_total", "Changes of models that nobody announced.", "model", "signal")
LAST_ALARM = gauge(
    "banditroute_drift_last_alarm_timestamp_seconds",
    "When a model was last found to have changed, seconds since the epoch.",
    "model",
    "signal",
)
ROLLOUTS = counter(
    "banditroute_rollout_changes_total", "Changes of newcomers' stages, by what they became.", "model", "stage"
)
FOUND = counter(
    "banditroute_best_model_changes_total",
    "Times that a task class's best model became known (found), or no longer was (doubted).",
    "task",
    "change",
)
SHADOW = counter("banditroute_shadow_failures_total", "Times that a shadow failed.", "shadow")
GRADERS = counter("banditroute_not_graded_total", "Answers that a grader could not grade.", "grader")
RELOADS = counter(
    "banditroute_reloads_total", "Configurations that were put in force (applied) or not (failed).", "outcome"
)
PASSED_OVER = counter(
    "banditroute_switch_passed_over_total",
    "Times that the model everything is switched to began to be unable to serve.",
    "model",
)
PEERS = counter(
    "banditroute_peer_changes_total",
    "Times that other processes on the store came (joined) or were gone (left).",
    "change",
)
CROWDED = counter(
    "banditroute_store_crowded_total", "Times that another process was found to write into a store that is not shared."
)
CLASSES = counter(
    "banditroute_classes_changed_total",
    "Times that task classes were found to be named otherwise than when learned of.",
)
ALERTS = counter(
    "banditroute_alerts_total",
    "What whoever runs the router was told of, by its state: began, goes on, over, happened.",
    "kind",
    "state",
)
SWITCHES = counter("banditroute_switch_changes_total", "Times that a switch was thrown in this process.", "switch")

_COUNTED = (
    BREAKERS,
    KEYS,
    EXHAUSTED,
    STORE,
    UNRECORDED,
    ALARMS,
    ROLLOUTS,
    FOUND,
    SHADOW,
    GRADERS,
    RELOADS,
    PASSED_OVER,
    PEERS,
    CROWDED,
    CLASSES,
    SWITCHES,
    ALERTS,
)
FAMILIES = (*_COUNTED, LAST_ALARM)


class Incidents:
    """What happened that should not, or seldom does."""

    def __init__(self) -> None:
        self._counts: dict[Family, Counter[Labels]] = {family: Counter() for family in _COUNTED}
        self._alarmed_at: dict[Labels, float] = {}
        self._counts[UNRECORDED][()] = 0
        self._task_names = Names(MOST_TASKS)

    def take(self, event: Event) -> None:
        """Counts an event, where it is one of these."""
        found = self._place(event)
        if found is not None:
            family, *labels = found
            self._counts[family][tuple(labels)] += 1

    def settled(self, event: Settled) -> None:
        """Counts an outcome that is not on record."""
        if not event.recorded:
            self._counts[UNRECORDED][()] += 1

    def drifted(self, event: Drifted) -> None:
        """Counts an alarm, and notes when it was."""
        place = event.alarm.model, event.alarm.signal
        self._counts[ALARMS][place] += 1
        self._alarmed_at[place] = event.alarm.at

    def readings(self) -> Iterator[Readings]:
        """What was counted."""
        for family, counts in self._counts.items():
            yield Readings(family, list(counts.items()))
        yield Readings(LAST_ALARM, list(self._alarmed_at.items()))

    def _place(self, event: Event) -> tuple[Family, *tuple[str, ...]] | None:  # noqa: C901 - a table, one line each
        match event:
            case SwitchThrown(name):
                return SWITCHES, name
            case Alerted(alert):
                return ALERTS, alert.kind, alert.state
            case BreakerChanged(model, state):
                return BREAKERS, model, state
            case KeyChanged(provider, _, reason) if reason:
                return KEYS, provider
            case BudgetExhausted(budget, _, rejected):
                return EXHAUSTED, budget, "rejected" if rejected else "cheapest"
            case StoreFailed(doing):
                return STORE, doing
            case RolloutChanged(model, stage):
                return ROLLOUTS, model, stage
            case BestFound(task):
                return FOUND, self._task_names(task), "found"
            case BestDoubted(task):
                return FOUND, self._task_names(task), "doubted"
            case ShadowFailed(shadow):
                return SHADOW, shadow
            case NotGraded(_, grader):
                return GRADERS, grader
            case Reloaded():
                return RELOADS, "applied"
            case ReloadFailed():
                return RELOADS, "failed"
            case SwitchPassedOver(model):
                return PASSED_OVER, model
            case PeersChanged(joined):
                return PEERS, "joined" if joined else "left"
            case StoreCrowded():
                return (CROWDED,)
            case ClassesChanged():
                return (CLASSES,)
            case _:
                return None
