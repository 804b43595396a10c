"""How an operation may be answered: what follows from whom it lets in, whether it takes a body and whom it asks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any

from banditroute.gateway.anthropic.errors import OVERLOADED, anthropic_status
from banditroute.gateway.openapi.operations import EVENTS, JSON, Operation
from banditroute.gateway.refusals import Refusal
from banditroute.records import Json

_HEADERS: Mapping[str, str] = {
    "x-request-id": "RequestId",
    "x-banditroute-decision-id": "DecisionId",
    "x-banditroute-model": "Model",
    "x-banditroute-task": "Task",
    "x-banditroute-propensity": "Propensity",
    "x-banditroute-cost-usd": "CostUsd",
    "x-banditroute-overhead-ms": "OverheadMs",
    "Retry-After": "RetryAfter",
    "x-should-retry": "ShouldRetry",
}
_ALWAYS = ("x-request-id",)
_TOLD = tuple(name for name in _HEADERS if name.startswith("x-banditroute-"))
_LATER = ("Retry-After", "x-should-retry", "x-banditroute-decision-id")
_OF_PROVIDERS = "4XX"
_ENDS_IN_A_MARK = "ChatEvent"

_WORDS: Mapping[int, str] = {
    400: "The request is wrong; the error names the field.",
    401: "No key, or an unknown one.",
    403: "The key may not ask for this.",
    404: "There is none of that name.",
    408: "The body came too slowly.",
    409: "Not as things stand.",
    413: "The body is too long.",
    422: "The judgement cannot be taken.",
    429: "Ask again later.",
    500: "A defect of the gateway; its log says where.",
    502: "Every provider that was asked failed; the error says how.",
    503: "Not now: the gateway, its store or the providers.",
    504: "Time was up.",
    OVERLOADED: "Not now: the gateway, its store or the providers.",
}


def responses(operation: Operation) -> dict[str, Json]:
    """Every answer of an operation, by its status."""
    found: dict[str, Json] = {"200": _good(operation)}
    for status in sorted({*_refusals(operation), *operation.refuses, 500}):
        told = anthropic_status(Refusal(status, "", "")) if operation.anthropic else status
        found[str(told)] = _bad(operation, _WORDS[told])
    if operation.working:
        found[_OF_PROVIDERS] = _bad(operation, "What a provider said of the request itself, with its status.")
    return found


def _refusals(operation: Operation) -> Iterator[int]:
    if operation.access != "open":
        yield from (401, 403)
    if operation.asks or operation.anthropic:
        yield from (400, 408, 413)
    if operation.working:
        yield from (404, 429, 502, 503, 504)


def _good(operation: Operation) -> Json:
    content: dict[str, Json] = {operation.media: {"schema": _schema(operation)}}
    if operation.streams:
        content[EVENTS] = {"schema": _event(operation.streams)}
    headers = (*_ALWAYS, *(_TOLD if operation.working else ()))
    return {"description": HTTPStatus.OK.phrase, "headers": _headers(headers), "content": content}


def _bad(operation: Operation, words: str) -> Json:
    schema = reference("AnthropicError" if operation.anthropic else "OpenAIError")
    headers = (*_ALWAYS, *_LATER)
    return {"description": words, "headers": _headers(headers), "content": {JSON: {"schema": schema}}}


def _event(name: str) -> Json:
    """One of the events: OpenAPI 3.1 has no word of its own for a stream of them."""
    data: Json = {"type": "string", "contentMediaType": JSON, "contentSchema": reference(name)}
    if name == _ENDS_IN_A_MARK:
        data = {"anyOf": [{"const": "[DONE]"}, data]}
    return {"type": "object", "properties": {"event": {"type": "string"}, "data": data}, "required": ["data"]}


def _schema(operation: Operation) -> Json:
    if operation.media == EVENTS:
        return _event(operation.answers)
    return reference(operation.answers) if operation.answers else {"type": "string"}


def _headers(names: tuple[str, ...]) -> Json:
    return {name: reference(_HEADERS[name], "headers") for name in names}


def reference(name: str, kind: str = "schemas") -> dict[str, Any]:
    """A reference to what the document says of it once."""
    return {"$ref": f"#/components/{kind}/{name}"}
