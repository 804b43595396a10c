"""What a body asks of the router beside what it asks of a model: the `model` and the `banditroute` field."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, cast

from banditroute.desk import Terms
from banditroute.errors import InvalidRequestError, meant
from banditroute.gateway.auth import Caller
from banditroute.gateway.refusals import RefusedError, refused
from banditroute.records import Json
from banditroute.routing.catalog import AUTO, Catalog

FIELD = "banditroute"

_TEXTS = ("task", "session_id", "request_id", "tenant", "expected")
_NUMBERS = ("max_cost_usd", "max_latency_s", "timeout_s")
_NAMES = ("allowed", "denied")
_OPTIONS = (*_TEXTS, *_NUMBERS, *_NAMES, "features")

OPTIONS: Mapping[str, str] = MappingProxyType({name: f"{FIELD}.{name}" for name in _OPTIONS})
"""Where callers write what the router knows as these terms."""


def terms_of(body: Json, caller: Caller, catalog: Catalog, request_id: str = "") -> Terms:
    """On which terms a caller asks, within what its key may.

    Args:
        body: what it wrote.
        caller: who asks.
        catalog: the models.
        request_id: what it calls the request elsewhere than in the body; empty = it does not.

    Raises:
        RefusedError: the model is not known, or the key may not ask for it, for the task or for the tenant.
        InvalidRequestError: an option is not known, or not of its type.
    """
    options = _options(body.get(FIELD))
    model = _model(body.get("model"), caller, catalog)
    named = model.removeprefix(f"{AUTO}:") if model.startswith(f"{AUTO}:") else None
    return Terms(
        model=AUTO if named is not None else model,
        task=_task(options.get("task") or named or None, caller),
        tenant=_tenant(options.get("tenant", ""), caller),
        session_id=options.get("session_id"),
        features=options.get("features"),
        max_cost_usd=options.get("max_cost_usd"),
        max_latency_s=options.get("max_latency_s"),
        allowed=_allowed(options.get("allowed", ()), caller, catalog) if model == AUTO or named is not None else (),
        denied=options.get("denied", ()),
        timeout_s=options.get("timeout_s"),
        expected=options.get("expected"),
        request_id=options.get("request_id") or request_id or None,
    )


def _options(given: Any) -> Json:
    if given is None:
        return {}
    if not isinstance(given, dict):
        raise InvalidRequestError("expected an object", field=FIELD)
    for name, value in cast("dict[str, Any]", given).items():
        if name not in _OPTIONS:
            remedy = f"{meant(name, _OPTIONS)}options are {', '.join(_OPTIONS)}"
            raise InvalidRequestError("no such option", remedy=remedy, field=f"{FIELD}.{name}")
        problem = "" if value is None else _problem(name, value)
        if problem:
            raise InvalidRequestError(problem, field=f"{FIELD}.{name}")
    return {name: value for name, value in cast("Json", given).items() if value is not None}


def _problem(name: str, value: Any) -> str:
    """What is wrong with an option's type; numbers' ranges are the router's to check."""
    if name in _TEXTS:
        return "" if isinstance(value, str) else "expected a text"
    if name in _NUMBERS:
        return "" if _is_number(value) else "expected a number"
    if name in _NAMES:
        listed = isinstance(value, list) and all(isinstance(each, str) for each in cast("list[Any]", value))
        return "" if listed else "expected a list of models"
    listed = isinstance(value, list) and all(_is_number(each) for each in cast("list[Any]", value))
    return "" if listed else "expected a list of numbers"


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _model(named: Any, caller: Caller, catalog: Catalog) -> str:
    """The model that is asked for; none is auto."""
    if named is None or named == AUTO:
        return AUTO
    if not isinstance(named, str):
        raise InvalidRequestError("expected a text", field="model")
    if named.startswith(f"{AUTO}:"):
        return named
    current = catalog.current(named)
    if current is None:
        names = (AUTO, *catalog.names)
        problem = f"no model is named {named!r}; {meant(named, names)}use {', '.join(names)}"
        raise refused(404, problem, "model_not_found", field="model")
    if caller.models and current not in _current(caller.models, catalog):
        raise _barred(f"model {named!r}", "model")
    return current


def _allowed(names: Any, caller: Caller, catalog: Catalog) -> tuple[str, ...]:
    """The models that may be chosen: the request's, the key's, or those of both."""
    if not caller.models:
        return tuple(names)
    own = _current(caller.models, catalog)
    both = tuple(name for name in names if catalog.current(name) in own) if names else own
    if not both:
        raise _barred("any of these models", f"{FIELD}.allowed")
    return both


def _current(names: tuple[str, ...], catalog: Catalog) -> tuple[str, ...]:
    return tuple(current for name in names if (current := catalog.current(name)) is not None)


def _task(named: str | None, caller: Caller) -> str | None:
    if not caller.tasks:
        return named
    if named is None and len(caller.tasks) == 1:
        return caller.tasks[0]
    if named is None:
        problem = f"this key's requests name their task: one of {', '.join(caller.tasks)}"
        raise refused(400, problem, "task_required", field=f"{FIELD}.task")
    if named not in caller.tasks:
        raise _barred(f"task {named!r}", f"{FIELD}.task")
    return named


def _tenant(named: str, caller: Caller) -> str:
    if caller.tenant and named not in ("", caller.tenant):
        raise _barred(f"tenant {named!r}", f"{FIELD}.tenant")
    return caller.tenant or named


def _barred(what: str, field: str) -> RefusedError:
    return refused(403, f"this key may not ask for {what}", "not_allowed", field=field)


def without_terms(body: Json, *taken: str) -> Mapping[str, Any]:
    """The fields of a body that a provider is to see."""
    return {name: value for name, value in body.items() if name != FIELD and name not in taken}
