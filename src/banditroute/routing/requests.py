"""What a caller's request is, whether it is one, and what it demands of a model: no model is asked what none could be.

Token counts are estimates, good to some ten percent: four characters of ASCII a token, three bytes of anything else.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast

from banditroute.errors import InvalidRequestError
from banditroute.records import ChatRequest, Demand, Json, Native, Only

ROLES = frozenset({"system", "developer", "user", "assistant", "tool", "function"})
_MESSAGE_TOKENS = 4  # what a message costs beside its text
_IMAGE_TOKENS = 765  # a 1024 x 1024 image at high detail, by OpenAI's own reckoning
_ASCII_PER_TOKEN = 4
_BYTES_PER_TOKEN = 3
_OTHER_PART_TOKENS = 500  # audio, files: unknown, but not nothing


def check_text(value: object, field: str) -> None:
    """Makes sure that a name is a text: callers need not be typed.

    Raises:
        InvalidRequestError: it is none, as a tenant that is None because nobody is logged in.
    """
    if not isinstance(value, str):
        raise InvalidRequestError(f"expected a text, got {type(value).__name__}", field=field)


def is_number(value: object) -> bool:
    """Whether it is one: callers need not be typed. A truth value is none."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def chat_request(prompt: object, params: Json) -> ChatRequest:
    """The request that a caller wrote as one text or as messages in OpenAI's shape.

    Raises:
        InvalidRequestError: there is no message, or one has no known role or no content.
    """
    if isinstance(prompt, str):
        prompt = ({"role": "user", "content": prompt},)
    if isinstance(prompt, bytes) or not isinstance(prompt, Sequence):
        problem = f"expected a text or a list of messages, got {type(prompt).__name__}"
        raise InvalidRequestError(problem, field="messages")
    messages = cast("Sequence[object]", prompt)
    if not messages:
        raise InvalidRequestError("no message", remedy="give at least one", field="messages")
    return ChatRequest(tuple(_message(message, place) for place, message in enumerate(messages)), params)


def input_tokens(request: ChatRequest) -> int:
    """About how many tokens the prompt has, tools included.

    Raises:
        InvalidRequestError: a text is not valid Unicode.
    """
    tokens = sum(_MESSAGE_TOKENS + _content_tokens(message) for message in request.messages)
    tools = request.params.get("tools")
    return math.ceil(tokens + (_json_tokens(tools) if tools else 0))


def demand_of(
    request: ChatRequest,
    tokens: int,
    *,
    streaming: bool = False,
    allowed: Iterable[str] = (),
    denied: Iterable[str] = (),
    max_cost_usd: float | None = None,
    max_latency_s: float | None = None,
) -> Demand:
    """What a request of so many tokens of prompt demands of a model, and what its caller allows.

    Raises:
        InvalidRequestError: a limit is not a positive number.
    """
    params = request.params
    return Demand(
        input_tokens=tokens,
        max_output_tokens=_limit_of_answers(params),
        answers=_count(params.get("n"), "n") or 1,
        tools=bool(params.get("tools") or params.get("functions")),
        vision=any(_has_image(message) for message in request.messages),
        json=_wants_json(params.get("response_format")),
        streaming=streaming,
        allowed=frozenset(allowed),
        denied=frozenset(denied),
        max_cost_usd=_limit(max_cost_usd, "max_cost_usd"),
        max_latency_s=_limit(max_latency_s, "max_latency_s"),
        only=_only(request.native),
    )


def _only(native: Native | None) -> Only | None:
    return Only(native.protocol, native.confined) if native is not None and native.confined else None


def _message(message: object, place: int) -> Json:
    if not isinstance(message, Mapping):
        raise _wrong(place, f"expected an object, got {type(message).__name__}")
    known = cast("Json", message)
    role = known.get("role")
    if not isinstance(role, str) or role not in ROLES:
        raise _wrong(place, f"{role!r} is not a role", ".role", f"use one of {', '.join(sorted(ROLES))}")
    content = known.get("content")
    if content is None and not (role == "assistant" and _speaks_without_content(known)):
        raise _wrong(place, "no content", ".content", "give a text or a list of parts")
    if content is not None and not isinstance(content, str):
        _check_parts(content, place)
    return known


def _speaks_without_content(message: Json) -> bool:
    return any(message.get(key) for key in ("tool_calls", "function_call", "refusal", "audio"))


def _check_parts(content: object, place: int) -> None:
    if not isinstance(content, Sequence) or isinstance(content, bytes):
        raise _wrong(place, f"expected a text or a list of parts, got {type(content).__name__}", ".content")
    for part in cast("Sequence[object]", content):
        if not isinstance(part, Mapping):
            raise _wrong(place, f"expected parts that are objects, got {type(part).__name__}", ".content")


def _wrong(place: int, problem: str, key: str = "", remedy: str = "") -> InvalidRequestError:
    return InvalidRequestError(problem, remedy=remedy, field=f"messages[{place}]{key}")


def _content_tokens(message: Json) -> float:
    content = message.get("content")
    tokens = _text_tokens(content) if isinstance(content, str) else sum(_part_tokens(part) for part in content or ())
    calls = message.get("tool_calls")
    return tokens + (_json_tokens(calls) if calls else 0.0)


def _part_tokens(part: Json) -> float:
    text = part.get("text")
    if isinstance(text, str):
        return _text_tokens(text)
    return _IMAGE_TOKENS if _is_image(part) else _OTHER_PART_TOKENS


def _text_tokens(text: str) -> float:
    if text.isascii():
        return len(text) / _ASCII_PER_TOKEN
    try:
        return len(text.encode()) / _BYTES_PER_TOKEN
    except UnicodeEncodeError as error:
        problem = f"not valid Unicode at character {error.start}"
        raise InvalidRequestError(problem, remedy="decode the text as UTF-8 first", field="messages") from None


def _json_tokens(value: object) -> float:
    """About how many tokens a piece of JSON has; its text is never made, it is only as long as its repr."""
    return len(str(value)) / _ASCII_PER_TOKEN


def _has_image(message: Json) -> bool:
    content = message.get("content")
    return not isinstance(content, str) and any(_is_image(part) for part in content or ())


def _is_image(part: Json) -> bool:
    return part.get("type") in ("image_url", "image", "input_image")


def _wants_json(response_format: object) -> bool:
    if not isinstance(response_format, Mapping):
        return False
    return cast("Json", response_format).get("type") in ("json_object", "json_schema")


def _limit_of_answers(params: Json) -> int | None:
    """The most tokens of an answer; OpenAI's newer name for it goes before the older, unless it says nothing."""
    older = _count(params.get("max_tokens"), "max_tokens")
    newer = _count(params.get("max_completion_tokens"), "max_completion_tokens")
    return older if newer is None else newer


def _count(value: Any, field: str) -> int | None:
    """A number that the caller asks for; None where it names none."""
    if value is None:
        return None
    if isinstance(value, float) and value.is_integer():  # JSON knows numbers, and no whole ones among them
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise InvalidRequestError(f"{value!r} is not a number from 1 up", field=field)
    return value


def _limit(amount: float | None, field: str) -> float | None:
    if amount is not None and not (is_number(amount) and 0 <= amount < math.inf):
        raise InvalidRequestError(f"{amount!r} is not a limit", remedy="give a number from 0 up", field=field)
    return amount
