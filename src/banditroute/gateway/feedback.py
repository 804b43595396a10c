"""POST /v1/feedback: how good an answer was, as a quality or as what a user did with it."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from banditroute.errors import FeedbackError, UnknownDecisionError
from banditroute.gateway.calls import Call
from banditroute.gateway.refusals import refused
from banditroute.grading.signals import Signal, signal_of
from banditroute.records import Json


async def feedback(call: Call) -> web.StreamResponse:
    """Takes a judgement in; told again, it changes nothing and is no error.

    Raises:
        UnknownDecisionError: the decision is not on record, or another tenant's.
        FeedbackError: the quality is out of range, or the signal unknown.
    """
    body = await call.json()
    decision_id = _text(body, "decision_id")
    if decision_id is None:
        raise refused(400, "decision_id: expected a text", "invalid_value", field="decision_id")
    await check_sees(call, decision_id)
    call.decision_id = decision_id
    quality, signal = _quality(body), _signal(body)
    recorded = await call.router.feedback(decision_id, quality=quality, signal=signal, source=_text(body, "source"))
    return call.answer({"decision_id": decision_id, "recorded": recorded})


async def check_sees(call: Call, decision_id: str) -> None:
    """Returns if the caller may know of a decision.

    Raises:
        UnknownDecisionError: it is another tenant's; who may not see it is not told that it exists.
    """
    if call.caller.tenant and not call.caller.admin:
        trail = await call.router.explain(decision_id)
        if not call.caller.sees(trail.decision.tenant):
            raise UnknownDecisionError(decision_id)


def _quality(body: Json) -> float | None:
    quality = body.get("quality")
    if quality is not None and (isinstance(quality, bool) or not isinstance(quality, int | float)):
        raise FeedbackError("expected a number from 0 to 1", field="quality")
    return quality


def _signal(body: Json) -> Signal | None:
    """What a user did, as {"kind": "thumb", "up": true}; see `banditroute.grading.signals`."""
    given: Any = body.get("signal")
    if given is None:
        return None
    if not isinstance(given, dict) or not isinstance(given.get("kind"), str):
        raise FeedbackError('expected an object such as {"kind": "thumb", "up": true}', field="signal")
    return signal_of(given["kind"], **{name: value for name, value in given.items() if name != "kind"})


def _text(body: Json, field: str) -> str | None:
    value = body.get(field)
    if value is not None and not isinstance(value, str):
        raise refused(400, f"{field}: expected a text", "invalid_value", field=field)
    return value
