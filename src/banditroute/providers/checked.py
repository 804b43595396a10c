"""Values of a caller's request, of the shape that a provider needs, or refused by the place where they stand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from banditroute.errors import UnfitError
from banditroute.records import ChatRequest, Json


def unfit(field: str, why: str) -> UnfitError:
    """The error for a field that a protocol cannot say."""
    return UnfitError(f"{field}: {why}", code="unsupported_field")


def refuse_confined(request: ChatRequest) -> None:
    """Refuses a request that only its own protocol has words for; whoever asks in other words would lose some of it.

    Raises:
        UnfitError: it is one.
    """
    if request.native is not None and request.native.confined:
        native = request.native
        raise UnfitError(f"this takes who speaks {native.protocol}: {native.confined}", code="unsupported_field")


def object_of(value: Any, place: str) -> Json:
    """The value, which has to be a JSON object.

    Raises:
        UnfitError: it is not.
    """
    if not isinstance(value, Mapping):
        raise unfit(place, "an object is needed")
    return value


def text_of(value: Json, field: str, place: str) -> str:
    """A field of an object, which has to be a text that is not empty.

    Raises:
        UnfitError: it is not.
    """
    text = value.get(field)
    if not isinstance(text, str) or not text:
        raise unfit(f"{place}.{field}", "a text is needed")
    return text


def objects(values: Any, place: str) -> Iterator[tuple[str, Json]]:
    """The objects of a list, each with its place; nothing has none.

    Raises:
        UnfitError: it is no list, or holds something else.
    """
    if values is None:
        return
    if not isinstance(values, list | tuple):
        raise unfit(place, "a list is needed")
    for index, value in enumerate(values):
        yield (where := f"{place}[{index}]"), object_of(value, where)


def object_or_none(value: Any, place: str) -> Json:
    """The value, which has to be a JSON object, or an empty one where there is none.

    Raises:
        UnfitError: it is something else.
    """
    return {} if value is None else object_of(value, place)
