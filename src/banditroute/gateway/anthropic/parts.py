"""A content block of Anthropic's as a part of OpenAI's."""

from __future__ import annotations

from collections.abc import Sequence

from banditroute.gateway.anthropic.confining import Confinement
from banditroute.gateway.anthropic.shapes import object_in, text_in
from banditroute.records import Json

CACHE = "cache_control"
"""Says what of a prompt to keep, which changes no answer: others keep what they please, so it may stay behind."""

_TEXT = frozenset({"type", "text", CACHE})
_IMAGE = frozenset({"type", "source", CACHE})
_DOCUMENT = frozenset({"type", "source", "title", "citations", CACHE})
_SOURCE = frozenset({"type", "media_type", "data", "url"})
_PDF = "application/pdf"


def part_of(block: Json, place: str, confined: Confinement) -> Json:
    """The block as a part of a message; as it is where OpenAI has none such, which is noted.

    Raises:
        InvalidRequestError: it is not what the protocol says.
    """
    match block.get("type"):
        case "text":
            confined.unless_known(block, place, _TEXT)
            return {"type": "text", "text": text_in(block, "text", place)}
        case "image":
            return _image(block, place, confined)
        case "document":
            return _document(block, place, confined)
        case kind:
            confined.add(place, f"a block of type {kind}")
            return block


def content_of(parts: Sequence[Json]) -> str | list[Json]:
    """Parts as a message's content: one text alone as servers know it that know nothing else."""
    if len(parts) == 1 and parts[0].get("type") == "text":
        return parts[0]["text"]
    return list(parts)


def _image(block: Json, place: str, confined: Confinement) -> Json:
    confined.unless_known(block, place, _IMAGE)
    source = object_in(block.get("source"), f"{place}.source")
    confined.unless_known(source, f"{place}.source", _SOURCE)
    match source.get("type"):
        case "base64":
            url = _data_url(source, place)
        case "url":
            url = text_in(source, "url", f"{place}.source")
        case kind:
            confined.add(f"{place}.source", f"of type {kind}")
            return block
    return {"type": "image_url", "image_url": {"url": url}}


def _document(block: Json, place: str, confined: Confinement) -> Json:
    confined.unless_known(block, place, _DOCUMENT)
    title = _title(block, place)
    source = object_in(block.get("source"), f"{place}.source")
    confined.unless_known(source, f"{place}.source", _SOURCE)
    if (block.get("citations") or {}) not in ({}, {"enabled": False}):
        confined.add(f"{place}.citations")
    if (source.get("type"), source.get("media_type")) != ("base64", _PDF):
        confined.add(f"{place}.source", "no PDF within the message")
        return block
    return {"type": "file", "file": {"filename": title, "file_data": _data_url(source, place)}}


def _title(block: Json, place: str) -> str:
    return (text_in(block, "title", place) if block.get("title") is not None else "") or "document.pdf"


def _data_url(source: Json, place: str) -> str:
    kind, data = text_in(source, "media_type", f"{place}.source"), text_in(source, "data", f"{place}.source")
    return f"data:{kind};base64,{data}"
