"""Gemini's embeddings, asked for and given back in OpenAI's shape."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from banditroute.errors import BrokenReplyError
from banditroute.providers.canonical_reply import tokens
from banditroute.providers.canonical_request import LABELS
from banditroute.providers.checked import unfit
from banditroute.providers.reading import mapping
from banditroute.records import EmbeddingRequest, Embeddings, Json, Usage


class EmbedCall(NamedTuple):
    """What is called of a model, and with what."""

    method: str
    body: Json


def embed_call(request: EmbeddingRequest, *, model: str) -> EmbedCall:
    """The call that embeds one text or several; fields that OpenAI does not know pass through to each.

    Raises:
        UnfitError: the input is not text.
    """
    inputs = request.inputs
    options = _options(request.params)
    if isinstance(inputs, str):
        return EmbedCall("embedContent", _one(inputs, model, options))
    if not isinstance(inputs, list | tuple) or not inputs or not all(isinstance(text, str) for text in inputs):
        raise unfit("input", "a text or a list of texts is needed; Gemini embeds no tokens")
    return EmbedCall("batchEmbedContents", {"requests": [_one(text, model, options) for text in inputs]})


def read_embeddings(body: Json) -> Embeddings:
    """The vectors in a reply, as numbers.

    Raises:
        BrokenReplyError: there are none.
    """
    found = body.get("embeddings") if "embeddings" in body else [body.get("embedding")]
    if not isinstance(found, list) or not found:
        raise BrokenReplyError("the reply has no embeddings")
    usage = _usage(body)
    written: dict[str, Any] = {
        "object": "list",
        "data": [_datum(index, mapping(vector)) for index, vector in enumerate(found)],
        "model": str(body.get("modelVersion") or ""),
    }
    if usage is not None:
        written["usage"] = {"prompt_tokens": usage.input_tokens, "total_tokens": usage.input_tokens}
    return Embeddings(written, usage)


def _options(params: Json) -> dict[str, Any]:
    options = {
        name: value
        for name, value in params.items()
        if value is not None and name not in LABELS and name != "encoding_format"
    }
    if "dimensions" in options:
        options["outputDimensionality"] = options.pop("dimensions")
    return options


def _one(text: str, model: str, options: Mapping[str, Any]) -> dict[str, Any]:
    return {"model": model, "content": {"parts": [{"text": text}]}, **options}


def _datum(index: int, vector: Json) -> Json:
    values = vector.get("values")
    if not isinstance(values, list) or not values:
        raise BrokenReplyError(f"embedding {index} of the reply has no values")
    return {"object": "embedding", "index": index, "embedding": values}


def _usage(body: Json) -> Usage | None:
    usage = body.get("usageMetadata")
    if not isinstance(usage, Mapping):
        return None
    return Usage(input_tokens=tokens(usage, "promptTokenCount"), output_tokens=0)
