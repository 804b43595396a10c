"""Records as JSON and back, without loss; a field that a later version wrote is passed over.

Numbers that JSON has no word for (infinite, not a number) come back as not a number.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import Any, NamedTuple, TypeVar, cast

import orjson

from banditroute.errors import InputError, StoreError
from banditroute.records import (
    Alarm,
    Attempt,
    Context,
    Decision,
    Feedback,
    Forecast,
    Incident,
    Json,
    Outcome,
    ShadowDecision,
    Usage,
)

from .protocol import Charge, Dispatch, PaceRecord, Settlement, Trail, Window

T = TypeVar("T")

_NAMES = ("request_id", "session_id", "holder")  # of a dispatch, written only where it has them; the first stand first


class Settled(NamedTuple):
    """What the log keeps of a settlement; its lessons follow from the decision and the outcome."""

    outcome: Outcome
    charges: tuple[Charge, ...]
    paces: tuple[PaceRecord, ...]


def dispatch_json(dispatch: Dispatch) -> str:
    """A dispatch without its prompt.

    Raises:
        InputError: a text in it is no Unicode.
    """
    row = {
        "decision": dispatch.decision,
        "reserved_usd": dispatch.reserved_usd,
        "windows": dispatch.windows,
        "expires_at": dispatch.expires_at,
        "by_caller": dispatch.by_caller,
    }
    named = {name: value for name in _NAMES if (value := getattr(dispatch, name))}
    return _json({**named, **row} if named else row)


def dispatch_of(text: str, prompt: bytes | None = None) -> Dispatch:
    """The dispatch that was written.

    Raises:
        StoreError: the text is no dispatch.
    """
    return _read(_dispatch, text, prompt)


def context_of(text: str) -> Context:
    """The context of the decision that was written: all of a dispatch that lessons depend on, in a third of the time.

    Raises:
        StoreError: the text is no dispatch.
    """
    return _read(_context_in, text)


def settlement_json(settlement: Settlement) -> str:
    """A settlement without its lessons.

    Raises:
        InputError: a text in it is no Unicode.
    """
    charges = [(*charge.window, charge.usd) for charge in settlement.charges]
    rest = {"charges": charges, "paces": settlement.paces}
    try:
        return _json({"outcome": settlement.outcome, **rest})
    except InputError:  # a provider's words must not keep an outcome from being written
        return _json({"outcome": _readable(settlement.outcome), **rest})


def _readable(outcome: Outcome) -> Outcome:
    attempts = (replace(a, problem=a.problem.encode(errors="replace").decode()) for a in outcome.attempts)
    return replace(outcome, attempts=tuple(attempts))


def settled_of(text: str) -> Settled:
    """What was written of a settlement.

    Raises:
        StoreError: the text is no settlement.
    """
    return _read(_settled, text)


def feedback_json(feedback: Feedback) -> str:
    """A judgement.

    Raises:
        InputError: a text in it is no Unicode.
    """
    return _json(feedback)


def trail_json(trail: Trail) -> bytes:
    """Everything on record of a decision as one object, for whoever it is about: with its messages, if they are kept.

    Raises:
        InputError: a text in it is no Unicode.
    """
    prompt = trail.dispatch.prompt
    row = {
        "kind": "decision",
        **orjson.loads(dispatch_json(trail.dispatch)),
        "messages": None if prompt is None else orjson.Fragment(prompt),
        "outcome": trail.outcome,
        "charges": [(*charge.window, charge.usd) for charge in trail.charges],
        "feedback": trail.feedback,
    }
    return _json(row).encode()


def alarm_json(alarm: Alarm) -> str:
    """An alarm."""
    return _json(alarm)


def alarm_of(text: str) -> Alarm:
    """The alarm that was written.

    Raises:
        StoreError: the text is no alarm.
    """
    return _read(_record, text, Alarm)


def incident_json(incident: Incident) -> str:
    """An incident."""
    return _json(incident)


def incident_of(text: str) -> Incident:
    """The incident that was written.

    Raises:
        StoreError: the text is no incident.
    """
    return _read(_record, text, Incident)


def name_json(name: str) -> str:
    """A name as it stands in a dispatch.

    Raises:
        InputError: it is no Unicode.
    """
    return _json(name)


def names_json(names: Sequence[str]) -> str:
    """Names.

    Raises:
        InputError: one is no Unicode.
    """
    return _json(names)


def names_of(text: str) -> tuple[str, ...]:
    """The names that were written.

    Raises:
        StoreError: the text is no list.
    """
    return _read(tuple, text)


def feedback_of(text: str) -> Feedback:
    """The judgement that was written.

    Raises:
        StoreError: the text is no judgement.
    """
    return _read(_record, text, Feedback)


def pace_json(record: PaceRecord) -> str:
    """A pace."""
    return _json(record)


def pace_of(text: str) -> PaceRecord:
    """The pace that was written.

    Raises:
        StoreError: the text is no pace.
    """
    return _read(_record, text, PaceRecord)


def _json(record: Any) -> str:
    try:
        return orjson.dumps(record, default=_plain, option=orjson.OPT_SERIALIZE_NUMPY).decode()
    except orjson.JSONEncodeError as error:
        raise InputError(f"a record cannot be written: {error}", remedy="use Unicode text and plain numbers") from error


def _plain(value: Any) -> Any:
    """What orjson knows for what it does not: mappings that are no dicts, named tuples, subclassed numbers."""
    if isinstance(value, Mapping):
        return dict(cast("Mapping[str, Any]", value))
    if isinstance(value, tuple):
        return list(cast("tuple[Any, ...]", value))
    if isinstance(value, float):
        return float(value)
    raise TypeError(f"{type(value).__name__} is no part of a record")


def _read(reader: Any, text: str, *more: Any) -> Any:
    try:
        return reader(orjson.loads(text), *more)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise StoreError(f"a row holds no record: {text[:60]!r} ({error}); the store is damaged") from error


def _dispatch(data: Json, prompt: bytes | None) -> Dispatch:
    return Dispatch(
        decision=_decision(data["decision"]),
        reserved_usd=_float(data["reserved_usd"]),
        windows=tuple(Window(*window) for window in data["windows"]),
        expires_at=_float(data["expires_at"]),
        by_caller=data["by_caller"],
        prompt=prompt,
        **{name: data.get(name, "") for name in _NAMES},
    )


def _context_in(dispatch: Json) -> Context:
    return _context(dispatch["decision"]["context"])


def _context(data: Json) -> Context:
    return _record({**data, "features": tuple(map(_float, data["features"]))}, Context)


def _decision(data: Json) -> Decision:
    shadow = data.get("shadow")  # no key: written by a version without shadows
    return _record(
        {
            **data,
            "context": _context(data["context"]),
            "propensity": _float(data["propensity"]),
            "propensities": _floats(data["propensities"]),
            "shadow_prices": _floats(data["shadow_prices"]),
            "forecasts": _forecasts(data["forecasts"]),
            "shadow": shadow and _shadow(shadow),
        },
        Decision,
    )


def _shadow(data: Json) -> ShadowDecision:
    return _record(
        {
            **data,
            "propensities": _floats(data["propensities"]),
            "forecasts": _forecasts(data["forecasts"]),
            "shadow_prices": _floats(data["shadow_prices"]),
        },
        ShadowDecision,
    )


def _forecasts(data: Json) -> Mapping[str, Forecast]:
    return {model: _record(forecast, Forecast) for model, forecast in data.items()}


def _settled(data: Json) -> Settled:
    charges = tuple(Charge(Window(budget, period), usd) for budget, period, usd in data["charges"])
    return Settled(_outcome(data["outcome"]), charges, tuple(_record(pace, PaceRecord) for pace in data["paces"]))


def _outcome(data: Json) -> Outcome:
    usage = data["usage"]
    attempts = tuple(_record(attempt, Attempt) for attempt in data["attempts"])
    return _record({**data, "usage": usage and _record(usage, Usage), "attempts": attempts}, Outcome)


def _record(data: Json, kind: type[T]) -> T:
    """A record of that kind: what it does not know is passed over, and a number that is missing is not a number."""
    names, floats = _fields(kind)
    if not data.keys() <= names:
        data = {name: value for name, value in data.items() if name in names}
    missing = {name: math.nan for name in floats if data.get(name, 0.0) is None}
    return kind(**{**data, **missing} if missing else data)


@cache
def _fields(kind: type[Any]) -> tuple[frozenset[str], frozenset[str]]:
    """A record's fields, and those that are numbers and never None."""
    types: Mapping[str, Any] = kind.__annotations__
    return frozenset(types), frozenset(name for name, type_ in types.items() if type_ in ("float", float))


def _float(value: float | None) -> float:
    return math.nan if value is None else value


def _floats(data: Mapping[str, float | None]) -> Mapping[str, float]:
    return {name: _float(value) for name, value in data.items()}
