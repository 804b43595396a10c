"""Values of a caller's body, of the shape that Anthropic's protocol says, or refused by the place where they stand."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from banditroute.errors import InvalidRequestError
from banditroute.records import Json


def object_in(value: Any, place: str) -> Json:
    """The value, which has to be an object.

    Raises:
        InvalidRequestError: it is none.
    """
    if not isinstance(value, dict):
        raise InvalidRequestError("expected an object", field=place)
    return value


def text_in(value: Json, name: str, place: str) -> str:
    """A field of an object, which has to be a text.

    Raises:
        InvalidRequestError: it is none.
    """
    text = value.get(name)
    if not isinstance(text, str):
        raise InvalidRequestError("expected a text", field=f"{place}.{name}")
    return text


def kind_of(value: Json) -> str:
    """The `type` of an object; empty where it names none."""
    kind = value.get("type")
    return kind if isinstance(kind, str) else ""


def objects_in(values: Any, place: str) -> Iterator[tuple[str, Json]]:
    """The objects of a list, each with its place.

    Raises:
        InvalidRequestError: it is no list, or holds something else.
    """
    if not isinstance(values, list):
        raise InvalidRequestError("expected a list", field=place)
    for index, value in enumerate(values):
        yield (where := f"{place}[{index}]"), object_in(value, where)


def blocks_in(content: Any, place: str) -> Iterator[tuple[str, Json]]:
    """The blocks of a content, each with its place; a bare text is one block.

    Raises:
        InvalidRequestError: it is neither a text nor a list of objects.
    """
    if isinstance(content, str):
        yield place, {"type": "text", "text": content}
    elif isinstance(content, list):
        yield from objects_in(content, place)
    else:
        raise InvalidRequestError("expected a text or a list of blocks", field=place)
