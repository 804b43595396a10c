from __future__ import annotations

from dataclasses import replace

import orjson

from banditroute.records import Feedback, Forecast
from banditroute.storage.decision_log import log_row
from banditroute.storage.protocol import Trail
from banditroute.testing.store_records import a_dispatch, a_settlement

DISPATCH = a_dispatch(1)
OUTCOME = a_settlement(DISPATCH).outcome


def test_a_row_has_what_the_format_promises() -> None:
    judged = (Feedback("decision-000001", 1.0), Feedback("decision-000001", 0.5, "judge"))
    row = log_row(Trail(DISPATCH, OUTCOME, feedback=judged))
    assert row is not None
    assert orjson.loads(orjson.dumps(row)) == {
        "decision_id": "decision-000001",
        "at": DISPATCH.decision.at,
        "task": "code",
        "input_tokens": 101,
        "output_tokens": 6,
        "features": list(DISPATCH.decision.context.features),
        "encoder_version": DISPATCH.decision.context.encoder_version,
        "eligible": ["small", "large"],
        "chosen": "large",
        "served": "small",
        "propensity": 0.25,
        "propensities": {"small": 0.25, "large": 0.75},
        "quality": 0.75,
        "cost_usd": OUTCOME.cost_usd,
        "latency_s": OUTCOME.latency_s,
        "policy": "thompson-1",
        "shadow": {
            "policy": "rival",
            "chosen": "small",
            "propensities": {"small": 0.875, "large": 0.125},
            "expected": {
                name: {"quality": 0.7, "quality_sd": 0.05, "cost_usd": 1.25e-4} for name in ("small", "large")
            },
        },
    }


def test_a_row_without_a_shadow_says_nothing_of_one() -> None:
    row = log_row(Trail(a_dispatch(2), a_settlement(a_dispatch(2)).outcome))
    assert row is not None
    assert "shadow" not in row


def test_what_the_shadow_has_no_model_for_is_as_the_router_expected() -> None:
    decision = replace(DISPATCH.decision, forecasts={"large": Forecast(0.25, 0.5, 1.0, 1.0, 1.0)})
    assert decision.shadow is not None
    shadow = replace(
        decision.shadow, propensities={"small": 1.0}, forecasts={"small": decision.shadow.forecasts["small"]}
    )
    row = log_row(Trail(replace(DISPATCH, decision=replace(decision, shadow=shadow)), OUTCOME))
    assert row is not None
    assert row["shadow"]["expected"]["large"] == {"quality": 0.25, "quality_sd": 0.5, "cost_usd": 1.0}


def test_what_is_not_settled_has_no_row() -> None:
    assert log_row(Trail(DISPATCH)) is None


def test_a_pinned_model_has_no_propensity() -> None:
    dispatch = replace(DISPATCH, decision=replace(DISPATCH.decision, pinned=True, propensities={}))
    row = log_row(Trail(dispatch, OUTCOME))
    assert row is not None
    assert (row["propensity"], row["eligible"], "propensities" in row, "quality" in row) == (
        None,
        ["large"],
        False,
        False,
    )


def test_a_failure_says_so() -> None:
    row = log_row(Trail(DISPATCH, a_settlement(DISPATCH, ok=False).outcome))
    assert row is not None
    assert (row["ok"], "served" in row, row["output_tokens"]) == (False, False, 0)
