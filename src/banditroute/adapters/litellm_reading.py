"""What LiteLLM hands to strategies and callbacks, read: what is asked, whose a deployment is, what a call took."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple, cast

from banditroute.records import Usage
from banditroute.routing.catalog import Catalog

Deployment = Mapping[str, Any]
"""A row of LiteLLM's model list."""

MARK = "banditroute_decision_id"
MODEL = "banditroute"
FIELD = "banditroute"

_DEMANDING = ("max_tokens", "max_completion_tokens", "n", "tools", "response_format")
_TERMS = ("task", "tenant", "session_id", "request_id", "features", "max_cost_usd", "max_latency_s", "denied")


class Asked(NamedTuple):
    """A chat request as `Router.decide` takes it: messages, terms, and the fields that ask something of a model."""

    messages: Any
    terms: Mapping[str, Any]
    params: Mapping[str, Any]


def asked_of(messages: Any, kwargs: Mapping[str, Any]) -> Asked | None:
    """The request; None where it is no chat.

    Terms stand in the `metadata`, as `{"banditroute": {"task": ...}}`. LiteLLM's own names of session and call count
    where these say nothing else.
    """
    if not messages:
        return None
    metadata = _mapping(kwargs.get("metadata")) or _mapping(kwargs.get("litellm_metadata"))
    own = _mapping(metadata.get(FIELD))
    usual = {
        "session_id": metadata.get("session_id") or kwargs.get("litellm_session_id"),
        "request_id": metadata.get("request_id") or kwargs.get("litellm_call_id"),
    }
    terms = {**usual, **{name: own[name] for name in _TERMS if name in own}}
    params = {name: kwargs[name] for name in _DEMANDING if kwargs.get(name) is not None}
    return Asked(messages, {name: value for name, value in terms.items() if value is not None}, params)


def name_of(deployment: Deployment, catalog: Catalog) -> str | None:
    """The model of the catalog that a deployment is; None where it is none."""
    info, upstream = _mapping(deployment.get("model_info")), _mapping(deployment.get("litellm_params")).get("model")
    names = [info.get(MODEL), info.get("id"), upstream]
    if isinstance(upstream, str):
        names.append(upstream.partition("/")[2])
    for name in names:
        if isinstance(name, str) and (current := catalog.current(name)) is not None:
            return current
    return None


def marked(deployment: Deployment, decision_id: str) -> Deployment:
    """The deployment with the decision on it, so that the end of an attempt names the decision that began it."""
    info = _mapping(deployment.get("model_info"))
    return {**deployment, "model_info": {**info, MARK: decision_id}}


def decision_id_of(kwargs: Mapping[str, Any]) -> str:
    """The decision that a callback tells of; empty where it is of none."""
    params = _mapping(kwargs.get("litellm_params"))
    info = _mapping(params.get("model_info")) or _mapping(_mapping(params.get("metadata")).get("model_info"))
    return str(info.get(MARK, ""))


def usage_of(response: Any) -> Usage | None:
    """Tokens as billed; None where the provider did not say."""
    usage = getattr(response, "usage", None)
    inputs, outputs = _count(usage, "prompt_tokens"), _count(usage, "completion_tokens")
    if not inputs and not outputs:
        return None
    before, after = getattr(usage, "prompt_tokens_details", None), getattr(usage, "completion_tokens_details", None)
    cached, written = _count(before, "cached_tokens"), _count(before, "cache_creation_tokens")
    return Usage(inputs, outputs, cached, written, _count(after, "reasoning_tokens"))


def seconds_of(kwargs: Mapping[str, Any], began: datetime, ended: datetime) -> tuple[float, float | None]:
    """Seconds that the call took, and to its first content where it streamed."""
    took_s = max((ended - began).total_seconds(), 0.0)
    spent_ms, first, sent = (kwargs.get(name) for name in ("llm_api_duration_ms", *_INSTANTS))
    latency_s = spent_ms / 1000 if isinstance(spent_ms, int | float) and spent_ms > 0 else took_s
    if not kwargs.get("stream") or not isinstance(first, datetime):
        return latency_s, None
    ttft_s = max((first - (sent if isinstance(sent, datetime) else began)).total_seconds(), 0.0)
    return max(took_s, ttft_s), ttft_s  # the milliseconds of a stream end at its head


_INSTANTS = ("completion_start_time", "current_attempt_api_call_start_time")


def _mapping(value: object) -> Mapping[str, Any]:
    return cast("Mapping[str, Any]", value) if isinstance(value, Mapping) else {}


def _count(usage: object, name: str) -> int:
    value = getattr(usage, name, None)
    return value if isinstance(value, int) and value > 0 else 0
