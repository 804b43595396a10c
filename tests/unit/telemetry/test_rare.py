from __future__ import annotations

from dataclasses import replace
from typing import get_args

import pytest

from banditroute import observe
from banditroute.changes import Changes
from banditroute.records import Alarm, Alert, Attempt, Context, Decision, Feedback, Outcome
from banditroute.telemetry import Metrics, exposition

NOW = 1_000_000.0
ALARM = Alarm(NOW, "a", "quality", "qa", 0.9, 0.5, 30, 0.999)
ALERT = Alert("i", NOW, "budget", "day", "began", "half spent", "it was", NOW)
MADE = Decision("d", NOW, Context("qa"), "a", 1.0, {"a": 1.0}, {}, {})
OUTCOME = Outcome("d", "a", NOW + 1.0, None, 0.0, 1.0)

EVENTS = (
    (observe.BreakerChanged("a", "open", "5 failures"), "breaker_changes_total", {"model": "a", "state": "open"}),
    (observe.KeyChanged("local", "KEY", "refused"), "key_failures_total", {"provider": "local"}),
    (
        observe.BudgetExhausted("day", "d", True),
        "budget_exhausted_total",
        {"budget": "day", "outcome": "rejected"},
    ),
    (observe.BudgetExhausted("day", "d", False), "budget_exhausted_total", {"budget": "day", "outcome": "cheapest"}),
    (observe.StoreFailed("settle a decision", "full"), "store_failures_total", {"doing": "settle a decision"}),
    (observe.Drifted(ALARM), "drift_alarms_total", {"model": "a", "signal": "quality"}),
    (observe.RolloutChanged("a", "canary 5%", "so far"), "rollout_changes_total", {"model": "a", "stage": "canary 5%"}),
    (observe.BestFound("qa", "a", 0.99), "best_model_changes_total", {"task": "qa", "change": "found"}),
    (observe.BestDoubted("qa", "a", "drift"), "best_model_changes_total", {"task": "qa", "change": "doubted"}),
    (observe.ShadowFailed("next", "decide", "no"), "shadow_failures_total", {"shadow": "next"}),
    (observe.NotGraded("d", "exact", "no"), "not_graded_total", {"grader": "exact"}),
    (observe.Reloaded(Changes()), "reloads_total", {"outcome": "applied"}),
    (observe.ReloadFailed("no file"), "reloads_total", {"outcome": "failed"}),
    (observe.SwitchPassedOver("a", NOW), "switch_passed_over_total", {"model": "a"}),
    (observe.PeersChanged(("b",), (), ("b",)), "peer_changes_total", {"change": "joined"}),
    (observe.PeersChanged((), ("b",), ()), "peer_changes_total", {"change": "left"}),
    (observe.StoreCrowded("share it"), "store_crowded_total", {}),
    (observe.ClassesChanged(("qa",), "named otherwise"), "classes_changed_total", {}),
    (observe.SwitchThrown("only", "a"), "switch_changes_total", {"switch": "only"}),
    (observe.Alerted(ALERT, frozenset({"log"})), "alerts_total", {"kind": "budget", "state": "began"}),
    (observe.Settled(OUTCOME, MADE, recorded=False), "unrecorded_outcomes_total", {}),
)
USUAL = (
    observe.Decided(MADE),
    observe.Attempted("d", Attempt("a", 1.0)),
    observe.Settled(OUTCOME, MADE),
    observe.Judged(Feedback("d", 1.0), MADE, OUTCOME),
)


@pytest.mark.parametrize(("event", "name", "labels"), EVENTS, ids=lambda each: type(each).__name__)
def test_an_event_is_counted(event, name, labels, shown) -> None:
    metrics = Metrics()
    metrics.notify(event)
    metrics.notify(event)
    assert shown(metrics)(name, **labels) == 2


def test_no_kind_of_event_is_overlooked() -> None:
    told = {type(event) for event in (*USUAL, *(event for event, *_ in EVENTS))}
    assert told == set(get_args(observe.Event))
    for event in USUAL:
        metrics = Metrics()
        before, _ = exposition(metrics)
        metrics.notify(event)
        assert exposition(metrics)[0] != before, type(event)


def test_a_key_that_is_back_has_not_failed(shown) -> None:
    metrics = Metrics()
    metrics.notify(observe.KeyChanged("local", "KEY", ""))
    assert shown(metrics)("key_failures_total", provider="local") is None


def test_it_is_known_when_a_model_last_changed(shown) -> None:
    metrics = Metrics()
    metrics.notify(observe.Drifted(ALARM))
    metrics.notify(observe.Drifted(replace(ALARM, at=NOW + 5.0)))
    assert shown(metrics)("drift_last_alarm_timestamp_seconds", model="a", signal="quality") == NOW + 5.0
