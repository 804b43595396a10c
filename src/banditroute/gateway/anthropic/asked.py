"""The body of a messages request as a chat request: in OpenAI's shape for the router, as it is for Anthropic."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from banditroute.errors import InvalidRequestError
from banditroute.gateway.anthropic.confining import Confinement
from banditroute.gateway.anthropic.marks import unmarked
from banditroute.gateway.anthropic.parts import CACHE
from banditroute.gateway.anthropic.shapes import object_in, objects_in, text_in
from banditroute.gateway.anthropic.tools import tool_choice, tools
from banditroute.gateway.anthropic.turns import conversation
from banditroute.gateway.asking import without_terms
from banditroute.providers.anthropic import PROTOCOL
from banditroute.records import ChatRequest, Json, Native

_LONGEST_USER = 64  # OpenAI's limit
_NO_HEADERS: Mapping[str, str] = MappingProxyType({})
_NO_BUDGET = ("adaptive", "disabled")
_CLEAR_THINKING = "clear_thinking_20251015"

Reader = Callable[[Any, Confinement], Json]
"""What a field of Anthropic's asks for in OpenAI's shape; notes where that cannot say it."""


def message_request(body: Json, headers: Mapping[str, str] = _NO_HEADERS) -> ChatRequest:
    """What a body asks.

    Args:
        body: as the caller wrote it.
        headers: those that go with it: features that they opt into allow what a body may say, and say nothing.

    Raises:
        InvalidRequestError: it is not what the protocol says; the field is named.
    """
    confined = Confinement()
    turns = body.get("messages")
    messages = conversation(body.get("system"), turns, confined)
    params: dict[str, Any] = {}
    for name, value in without_terms(body, "model", "stream", "messages", "system").items():
        if value is None:
            continue
        if name in _READERS:
            params.update(_READERS[name](value, confined))
        else:
            confined.add(name)
    own = {**without_terms(body, "model", "stream"), "messages": unmarked(turns or ())}
    return ChatRequest(messages, params, Native(PROTOCOL, own, headers, confined.reason))


def check_limit(body: Json) -> None:
    """Makes sure that the answer is limited, as the protocol wants it.

    Raises:
        InvalidRequestError: it is not.
    """
    if body.get("max_tokens") is None:
        raise InvalidRequestError("field required", field="max_tokens")


def stop_sequences(body: Json) -> tuple[str, ...]:
    """The texts at which the answer shall stop.

    Raises:
        InvalidRequestError: they are none.
    """
    stops: Any = body.get("stop_sequences")
    if stops is None:
        return ()
    if not isinstance(stops, list) or not all(isinstance(stop, str) for stop in stops):
        raise InvalidRequestError("expected a list of texts", field="stop_sequences")
    return tuple(stops)


def _same(name: str) -> Reader:
    return lambda value, _: {name: value}


def _limit(value: Any, confined: Confinement) -> Json:
    if not isinstance(value, bool) and value == 0:  # nothing is to be answered, only the prompt kept
        confined.add("max_tokens", "0, which fills a prompt cache")
        return {"max_tokens": 1}
    return {"max_tokens": value}


def _nothing(_: Any, __: Confinement) -> Json:
    return {}


def _stop(value: Any, _: Confinement) -> Json:
    stops = stop_sequences({"stop_sequences": value})
    return {"stop": list(stops)} if stops else {}


def _metadata(value: Any, confined: Confinement) -> Json:
    metadata = object_in(value, "metadata")
    confined.unless_known(metadata, "metadata", ("user_id",))
    user = "" if metadata.get("user_id") is None else text_in(metadata, "user_id", "metadata")
    if not user:
        return {}
    return {"user": user if len(user) <= _LONGEST_USER else hashlib.sha256(user.encode()).hexdigest()}


def _tier(value: Any, confined: Confinement) -> Json:
    if value == "auto":
        return {}
    if value != "standard_only":
        confined.add("service_tier", str(value))
    return {"service_tier": "default"}


def _thinking(value: Any, confined: Confinement) -> Json:
    """A model that thinks as much as it pleases does so everywhere; a budget for it is Anthropic's alone."""
    if object_in(value, "thinking").get("type") not in _NO_BUDGET:
        confined.add("thinking", "with a budget")
    return {}


def _output(value: Any, confined: Confinement) -> Json:
    config = object_in(value, "output_config")
    confined.unless_known(config, "output_config", ("effort", "format"))
    effort = {"reasoning_effort": config["effort"]} if config.get("effort") else {}
    return effort if config.get("format") is None else {**effort, **_format(config["format"], confined)}


def _format(value: Any, confined: Confinement) -> Json:
    wanted = object_in(value, "output_config.format")
    confined.unless_known(wanted, "output_config.format", ("type", "schema"))
    if wanted.get("type") != "json_schema":
        confined.add("output_config.format", str(wanted.get("type")))
        return {}
    schema = object_in(wanted.get("schema"), "output_config.format.schema")
    return {
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": "answer", "schema": schema, "strict": True},
        }
    }


def _context(value: Any, confined: Confinement) -> Json:
    """Edits of the context; clearing thinking away asks for nothing where no thinking is sent."""
    context = object_in(value, "context_management")
    confined.unless_known(context, "context_management", ("edits",))
    edits = context.get("edits")
    for place, edit in objects_in([] if edits is None else edits, "context_management.edits"):
        if edit.get("type") != _CLEAR_THINKING:
            confined.add(place, str(edit.get("type")))
    return {}


_READERS: Mapping[str, Reader] = {
    **{name: _same(name) for name in ("temperature", "top_k", "top_p")},
    CACHE: _nothing,
    "context_management": _context,
    "max_tokens": _limit,
    "metadata": _metadata,
    "output_config": _output,
    "output_format": _format,
    "service_tier": _tier,
    "stop_sequences": _stop,
    "thinking": _thinking,
    "tool_choice": tool_choice,
    "tools": tools,
}
