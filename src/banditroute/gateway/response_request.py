"""The body of a Responses request, as the router sees it: enough of it to be classified, counted and screened."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

from banditroute.errors import InvalidRequestError
from banditroute.gateway.asking import without_terms
from banditroute.gateway.refusals import refused
from banditroute.providers.openai import PROTOCOL
from banditroute.providers.reading import mapping
from banditroute.records import ChatRequest, Json, Native

_KEPT_ELSEWHERE = ("previous_response_id", "conversation")
_TEXTS = ("input_text", "output_text")
_ROLES = ("system", "developer", "user", "assistant")
_NAMED: Mapping[str, str] = MappingProxyType(
    {"max_output_tokens": "max_tokens", "tools": "tools", "metadata": "metadata"}
)

FIELDS: Mapping[str, str] = MappingProxyType({"messages": "input", **{ours: theirs for theirs, ours in _NAMED.items()}})
"""What the protocol calls the fields of a chat request."""


def responses_request(body: Json, *, pinned: bool) -> ChatRequest:
    """What a body asks; a provider is sent the body itself.

    Args:
        body: as the caller wrote it.
        pinned: the caller names the model.

    Raises:
        RefusedError: it asks for what one provider alone keeps, or to be answered later.
        InvalidRequestError: it is not what the protocol says.
    """
    if body.get("background") is not None and body["background"] is not False:
        raise refused(
            400, "answers in the background are not served; ask for a stream", "unsupported_field", field="background"
        )
    for name in _KEPT_ELSEWHERE:
        if body.get(name) is not None and not pinned:
            problem = f"{name}: what one provider keeps no other has; name the model that gave it"
            raise refused(400, problem, "unsupported_field", field=name)
    messages = tuple(_messages(body)) or ({"role": "user", "content": ""},)
    params: dict[str, Any] = {ours: body[theirs] for theirs, ours in _NAMED.items() if body.get(theirs) is not None}
    wanted = mapping(mapping(body.get("text")).get("format"))
    if wanted:
        params["response_format"] = {"type": wanted.get("type")}
    native = Native(PROTOCOL, without_terms(body, "model", "stream"), confined="what /v1/responses is asked")
    return ChatRequest(messages, params, native)


def _messages(body: Json) -> Iterator[Json]:
    instructions, given = body.get("instructions"), body.get("input")
    if isinstance(instructions, str) and instructions:
        yield {"role": "system", "content": instructions}
    if isinstance(given, str):
        yield {"role": "user", "content": given}
    elif isinstance(given, list):
        for place, item in enumerate(given):
            yield _message(item, f"input[{place}]")
    elif given is not None:
        raise InvalidRequestError("expected a text or a list of items", field="input")


def _message(item: Any, place: str) -> Json:
    if not isinstance(item, dict):
        raise InvalidRequestError("expected an object", field=place)
    if item.get("type", "message") != "message":
        return {"role": "user", "content": [item]}
    role, content = item.get("role"), item.get("content")
    if role not in _ROLES:
        raise InvalidRequestError(f"{role!r} is not a role", field=f"{place}.role")
    if isinstance(content, str):
        return {"role": role, "content": content}
    if not isinstance(content, list) or not all(isinstance(part, dict) for part in content):
        raise InvalidRequestError("expected a text or a list of parts", field=f"{place}.content")
    return {"role": role, "content": [_part(part) for part in content]}


def _part(part: Json) -> Json:
    text = part.get("text")
    return {"type": "text", "text": text} if part.get("type") in _TEXTS and isinstance(text, str) else part
