"""POST /v1/feedback: how good an answer was, as a quality or as what a user did with it."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from banditroute.errors import FeedbackError, UnknownDecisionError
from banditroute.gateway.calls import Call
from banditroute.gateway.refusals import refused
from banditroute.grading.signals import Signal, signal_of
from banditroute.records import Json
from banditroute.routing.requests import is_number

_NAMES = ("decision_id", "request_id", "session_id")


async def feedback(call: Call) -> web.StreamResponse:
    """Takes a judgement in; told again, it changes nothing and is no error.

    Raises:
        UnknownDecisionError: the decision is not on record, or another tenant's.
        FeedbackError: the quality is out of range, or the signal unknown.
    """
    body = await call.json()
    names = {name: value for name in _NAMES if (value := _text(body, name)) is not None}
    if len(names) != 1:
        raise refused(400, f"expected one of {', '.join(_NAMES)}", "invalid_value", field="decision_id")
    if (decision_id := names.get("decision_id")) is not None:
        await check_sees(call, decision_id)
        call.decision_id = decision_id
    recorded = await call.router.feedback(
        **names,
        every=_flag(body, "every"),
        tenant=None if call.caller.admin else call.caller.tenant or None,
        quality=_number(body, "quality"),
        signal=_signal(body),
        source=_text(body, "source"),
        weight=1.0 if (weight := _number(body, "weight")) is None else weight,
        at=_number(body, "at"),
    )
    return call.answer({**names, "recorded": recorded})


async def check_sees(call: Call, decision_id: str) -> None:
    """Returns if the caller may know of a decision.

    Raises:
        UnknownDecisionError: it is another tenant's; who may not see it is not told that it exists.
    """
    if call.caller.tenant and not call.caller.admin:
        trail = await call.router.explain(decision_id)
        if not call.caller.sees(trail.decision.tenant):
            raise UnknownDecisionError(decision_id)


def _number(body: Json, field: str) -> float | None:
    """A number, whose range is the router's to check."""
    value = body.get(field)
    if value is not None and not is_number(value):
        raise FeedbackError("expected a number from 0 to 1" if field != "at" else "expected a number", field=field)
    return value


def _flag(body: Json, field: str) -> bool:
    value = body.get(field)
    if value is not None and not isinstance(value, bool):
        raise refused(400, f"{field}: expected true or false", "invalid_value", field=field)
    return bool(value)


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
