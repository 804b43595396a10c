"""GET /v1/decisions/{id}: why this model, what it cost, how it was judged."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from banditroute.errors import UnknownDecisionError
from banditroute.gateway.calls import Call
from banditroute.storage.protocol import Trail


async def decision(call: Call) -> web.StreamResponse:
    """Everything on record of a decision but the prompt.

    Raises:
        UnknownDecisionError: it is not on record, or another tenant's.
    """
    decision_id = call.request.match_info["decision_id"]
    trail = await call.router.explain(decision_id)
    if not call.caller.sees(trail.decision.tenant):
        raise UnknownDecisionError(decision_id)
    call.decision_id = decision_id
    return call.answer(trail_body(trail))


def trail_body(trail: Trail) -> dict[str, Any]:
    """The record as JSON: who was eligible and who not and why, what was expected, drawn, billed and judged."""
    decided = trail.decision
    return {
        "decision_id": decided.decision_id,
        "at": decided.at,
        "task": decided.context.task,
        "tenant": decided.tenant,
        "request_id": trail.dispatch.request_id,
        "session_id": trail.dispatch.session_id,
        "input_tokens": decided.context.input_tokens,
        "pinned": decided.pinned,
        "chosen": decided.chosen,
        "propensity": None if decided.pinned else decided.propensity,
        "propensities": dict(decided.propensities),
        "eligible": list(decided.propensities),
        "excluded": dict(decided.excluded),
        "forecasts": dict(decided.forecasts),
        "shadow_prices": dict(decided.shadow_prices),
        "policy_version": decided.policy_version,
        "shadow": decided.shadow,
        "outcome": trail.outcome,
        "feedback": list(trail.feedback),
    }
