"""Embeddings in either encoding."""

from __future__ import annotations

import base64
import struct

import pytest

from banditroute.errors import BrokenReplyError
from banditroute.providers.vectors import in_format
from banditroute.records import Embeddings, Usage

NUMBERS = [0.5, -1.0, 3.25]
BASE64 = base64.b64encode(struct.pack("<3f", *NUMBERS)).decode()


def embeddings(vector: object) -> Embeddings:
    row = {"object": "embedding", "index": 0, "embedding": vector}
    return Embeddings({"object": "list", "data": [row], "model": "m"}, Usage(3, 0), 0.25)


@pytest.mark.parametrize("vector", [NUMBERS, BASE64])
@pytest.mark.parametrize(("encoding", "wanted"), [("base64", BASE64), ("float", NUMBERS), (None, NUMBERS)])
def test_whatever_came_is_written_as_it_was_asked_for(vector: object, encoding: str | None, wanted: object) -> None:
    got = in_format(embeddings(vector), encoding)
    written = got.body["data"][0]["embedding"]
    assert (written if isinstance(written, str) else list(written)) == wanted
    assert (got.usage, got.cost_usd, got.body["model"]) == (Usage(3, 0), 0.25, "m")


def test_a_reply_without_vectors_stays_as_it_is() -> None:
    assert in_format(Embeddings({}, None), "base64") == Embeddings({}, None)


@pytest.mark.parametrize("encoding", ["base64", "float"])
@pytest.mark.parametrize("row", ["x", None, {"index": 1}, {"embedding": None}, {"embedding": {"a": 1}}])
def test_what_is_no_vector_is_the_providers_failure(row: object, encoding: str) -> None:
    with pytest.raises(BrokenReplyError, match="no vector"):
        in_format(Embeddings({"data": [row]}, None), encoding)


@pytest.mark.parametrize(("vector", "encoding"), [(["x"], "base64"), ([1e300], "base64"), ("&", "float")])
def test_nor_is_what_cannot_be_written_as_was_asked(vector: object, encoding: str) -> None:
    with pytest.raises(BrokenReplyError, match="no vector"):
        in_format(embeddings(vector), encoding)
