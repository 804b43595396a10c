"""Writing a request's body."""

from __future__ import annotations

from collections.abc import Mapping

import orjson

from banditroute.errors import InvalidRequestError
from banditroute.records import Json


def json_bytes(body: Json | tuple[Json, ...]) -> bytes:
    """A body, or messages, as JSON, mappings of any kind as objects.

    Raises:
        InvalidRequestError: it holds what JSON does not know.
    """
    try:
        return orjson.dumps(body, default=_plain)
    except orjson.JSONEncodeError as error:
        raise InvalidRequestError(f"the request cannot be written as JSON: {error}") from None


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(type(value).__name__)
