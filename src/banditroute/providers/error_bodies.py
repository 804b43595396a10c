"""The `error` object in the body of a failure, as Anthropic and Google write it."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import orjson

from banditroute.providers.reading import mapping, one_line, word
from banditroute.records import Json

_LONGEST_ERROR_BYTES = 1 << 20


def error_in(body: bytes) -> Mapping[str, Any]:
    """The error that a body tells; where it is not JSON, its text as the message, unless it is a proxy's page."""
    if len(body) > _LONGEST_ERROR_BYTES:
        return {}
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError:
        text = body.decode("utf-8", "replace").strip()
        return {} if text.startswith("<") else {"message": text}
    if isinstance(value, list):  # Google's, where a stream fails before it began
        value = next(iter(value), None)
    error = mapping(value).get("error")
    return {"message": error} if isinstance(error, str) else mapping(error)


def problem(error: Json, status: int) -> str:
    """What went wrong, in one line."""
    return one_line(word(error.get("message"))) or _phrase(status)


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "no reason given"
