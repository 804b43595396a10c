"""Reading a message in OpenAI's shape on behalf of a provider that speaks another."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import orjson

from banditroute.providers.checked import object_of, objects, unfit
from banditroute.providers.reading import word
from banditroute.records import Json


class Inline(NamedTuple):
    """Bytes inside a data URL: their media type and themselves, in base64."""

    media_type: str
    data: str


def parts(content: Any, place: str) -> Iterator[tuple[str, Json]]:
    """The parts of a message's content, each with the place that an error names it by; a bare text is one part.

    Raises:
        UnfitError: the content is neither text nor a list of parts.
    """
    if content is None or content == "":
        return
    if isinstance(content, str):
        yield f"{place}.content", {"type": "text", "text": content}
        return
    yield from objects(content, f"{place}.content")


def image_url(part: Json) -> str:
    """The URL of an `image_url` part, which some write without its object."""
    image = part.get("image_url")
    return word(image.get("url")) if isinstance(image, Mapping) else word(image)


def data_url(url: str) -> Inline | None:
    """What a base64 data URL holds; None for any other URL."""
    if not url.startswith("data:"):
        return None
    head, _, data = url[5:].partition(",")
    media_type, *options = head.split(";")
    return Inline(media_type, data) if "base64" in options and data else None


def arguments(call: Json, place: str) -> Json:
    """The arguments of a function call in a message, as an object.

    Raises:
        UnfitError: they are not a JSON object.
    """
    text = call.get("arguments") or "{}"
    try:
        value = orjson.loads(text) if isinstance(text, str) else text
    except orjson.JSONDecodeError:
        raise unfit(f"{place}.arguments", "not JSON") from None
    return object_of(value, f"{place}.arguments")


def refuse_names(message: Json, place: str) -> None:
    """Refuses what a message may say to OpenAI alone: a participant's name, or spoken words.

    Raises:
        UnfitError: it does.
    """
    for field in ("name", "audio"):
        if message.get(field):
            raise unfit(f"{place}.{field}", "messages have no such field here")
