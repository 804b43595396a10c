"""Embeddings in the encoding that the caller asked for, whatever the provider sent."""

from __future__ import annotations

import base64
import struct
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from banditroute.errors import BrokenReplyError
from banditroute.records import Embeddings


def in_format(embeddings: Embeddings, encoding_format: str | None) -> Embeddings:
    """The same embeddings, vectors as OpenAI writes them in a format; those that are in it already stay as they are.

    Providers that are merely compatible send numbers whatever they are asked, and OpenAI's own client asks for base64.

    Args:
        embeddings: what a provider answered.
        encoding_format: "base64" = little-endian float32; anything else = numbers.

    Raises:
        BrokenReplyError: what was sent are no vectors.
    """
    convert = _base64 if encoding_format == "base64" else _numbers
    data = embeddings.body.get("data")
    if not isinstance(data, list):
        return embeddings
    return replace(embeddings, body={**embeddings.body, "data": [_converted(row, convert) for row in data]})


def _converted(row: Any, convert: Callable[[Any], Any]) -> Any:
    try:
        return {**row, "embedding": convert(row["embedding"])}
    except (TypeError, KeyError, ValueError, OverflowError, struct.error):
        raise BrokenReplyError("the reply has an embedding that is no vector") from None


def _base64(vector: str | Sequence[float]) -> str:
    return vector if isinstance(vector, str) else base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()


def _numbers(vector: Any) -> Sequence[float]:
    if isinstance(vector, list | tuple):
        return vector
    data = base64.b64decode(vector, validate=True)
    return struct.unpack(f"<{len(data) // 4}f", data)
