"""What a request says, leaf by leaf: numbers and words of the protocol as they are, of texts a hash and the length."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any, cast

Leaf = str | int | float | bool | None
Shape = Mapping[str, Leaf]
"""A value for each place in a body, as `messages.0.content`."""

_WORDS = frozenset({"model", "role", "type", "reasoning_effort", "effort", "tool_choice", "finish_reason"})
"""Keys whose texts are the protocol's words or a model's name, and nobody's prompt."""

_LONGEST_WORD = 64
_HASH_SIGNS = 16


def shape_of(body: Any) -> Shape:
    """The shape of a body; the same bodies have the same, whatever the order of their keys."""
    return dict(sorted(_leaves(body, "")))


def differences(recorded: Shape, asked: Shape) -> list[str]:
    """What is different, each in a few words; those that say most first."""
    places = sorted(recorded.keys() | asked.keys(), key=lambda place: (place.count("."), place))
    return [_apart(place, recorded, asked) for place in places if _at(recorded, place) != _at(asked, place)]


def _at(shape: Shape, place: str) -> tuple[bool, Leaf]:
    return place in shape, shape.get(place)


def _apart(place: str, recorded: Shape, asked: Shape) -> str:
    if place not in asked:
        return f"{place or 'the body'}: recorded {recorded[place]}, not asked"
    if place not in recorded:
        return f"{place or 'the body'}: not recorded, asked {asked[place]}"
    return f"{place or 'the body'}: recorded {recorded[place]}, asked {asked[place]}"


def _leaves(value: Any, place: str) -> Iterator[tuple[str, Leaf]]:
    if isinstance(value, dict) and value:
        for key, inner in cast("dict[str, Any]", value).items():
            yield from _leaves(inner, f"{place}.{key}" if place else key)
    elif isinstance(value, list) and value:
        for index, inner in enumerate(cast("list[Any]", value)):
            yield from _leaves(inner, f"{place}.{index}" if place else str(index))
    elif isinstance(value, str):
        yield place, _told(value, place.rpartition(".")[2])
    else:
        yield place, value if value is None or isinstance(value, bool | int | float) else str(value)


def _told(text: str, key: str) -> str:
    if key in _WORDS and len(text) <= _LONGEST_WORD and " " not in text:
        return text
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:_HASH_SIGNS]
    return f"{len(text)} signs #{digest}"
