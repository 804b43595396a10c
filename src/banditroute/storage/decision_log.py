"""The public decision log: a row per decision, from which policies are evaluated; see the interfaces of the project."""

from __future__ import annotations

from typing import Any

from banditroute.records import Decision, Json, ShadowDecision

from .protocol import Trail


def log_row(trail: Trail) -> Json | None:
    """The row of a decision, ready for JSON; None while nothing has come of it.

    `quality` is the mean of its judgements; `served` is absent, and `ok` false, where no model answered. A model that
    the caller named was not drawn: its propensity is null. `shadow` is what a shadow that decided on it would have
    drawn from, with what was then expected of each model that either could have chosen.
    """
    decision, outcome = trail.decision, trail.outcome
    if outcome is None:
        return None
    row: dict[str, Any] = {
        "decision_id": decision.decision_id,
        "at": decision.at,
        "task": decision.context.task,
        "input_tokens": decision.context.input_tokens if outcome.usage is None else outcome.usage.input_tokens,
        "output_tokens": 0 if outcome.usage is None else outcome.usage.output_tokens,
        "eligible": list(decision.propensities) or [decision.chosen],
        "chosen": decision.chosen,
        "propensity": None if decision.pinned else decision.propensity,
        "cost_usd": outcome.cost_usd,
        "latency_s": outcome.latency_s,
        "policy": decision.policy_version,
    }
    return {**row, **_where_known(trail)}


def _where_known(trail: Trail) -> Json:
    """The fields that a row has only where there is something to say."""
    decision, outcome = trail.decision, trail.outcome
    known: dict[str, Any] = {}
    if trail.dispatch.request_id:
        known["request_id"] = trail.dispatch.request_id
    if decision.context.features:
        known["features"] = list(decision.context.features)
        known["encoder_version"] = decision.context.encoder_version
    if not decision.pinned:
        known["propensities"] = dict(decision.propensities)
    if trail.feedback:
        known["quality"] = sum(feedback.quality for feedback in trail.feedback) / len(trail.feedback)
    if outcome is not None and outcome.served:
        known["served"] = outcome.served
    if outcome is not None and not outcome.ok:
        known["ok"] = False
    if decision.shadow is not None:
        known["shadow"] = _shadow(decision, decision.shadow)
    return known


def _shadow(decision: Decision, shadow: ShadowDecision) -> Json:
    """What the shadow would have drawn from; where nothing was drawn in truth, this is all there is to compare by."""
    expected = {**decision.forecasts, **shadow.forecasts}
    return {
        "policy": shadow.name,
        "chosen": shadow.chosen,
        "propensities": dict(shadow.propensities),
        "expected": {
            model: {"quality": each.quality, "quality_sd": each.quality_sd, "cost_usd": each.cost_usd}
            for model, each in expected.items()
        },
    }
