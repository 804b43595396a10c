"""Google's Gemini API (https://ai.google.dev/api), v1beta."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote

from banditroute.errors import ProviderError
from banditroute.providers.checked import refuse_confined
from banditroute.providers.gemini_embeddings import embed_call, read_embeddings
from banditroute.providers.gemini_failures import error_object, failure
from banditroute.providers.gemini_reply import read_response
from banditroute.providers.gemini_request import generate_body
from banditroute.providers.gemini_stream import GeminiReader
from banditroute.providers.protocol import StreamReader, WireReply, WireRequest
from banditroute.providers.ratelimits import RateLimits
from banditroute.providers.reading import json_object
from banditroute.providers.writing import json_bytes
from banditroute.records import ChatRequest, Completion, EmbeddingRequest, Embeddings, Json


class Gemini:
    """Speaks Gemini's protocol.

    Args:
        version: the API's version, the first part of every path.
        headers: further headers of every call.
    """

    def __init__(self, *, version: str = "v1beta", headers: Mapping[str, str] | None = None) -> None:
        self._version = version
        self._headers = {"content-type": "application/json", **(headers or {})}

    def chat(self, request: ChatRequest, *, model: str, key: str | None, stream: bool) -> WireRequest:
        """The call that asks an upstream model.

        Raises:
            UnfitError: the request asks for what Gemini has no way to do; the field is named.
        """
        refuse_confined(request)
        method = "streamGenerateContent?alt=sse" if stream else "generateContent"
        return self._call(model, method, generate_body(request, model=model), key)

    def completion(self, reply: WireReply, now: float) -> Completion:
        """The answer in a reply that is not a stream.

        Raises:
            ProviderError: the reply is a failure (whatever its status) or not what the protocol says.
        """
        return read_response(self._read(reply, now), created=int(now))

    def reader(self) -> StreamReader:
        """A reader for one stream."""
        return GeminiReader()

    def failure(self, reply: WireReply, now: float) -> ProviderError:
        """The error that a reply with a status of 400 or more stands for; now is seconds since the epoch."""
        return failure(reply, now)

    def embed(self, request: EmbeddingRequest, *, model: str, key: str | None) -> WireRequest:
        """The call that asks an upstream model for embeddings.

        Raises:
            UnfitError: the input is not text.
        """
        method, body = embed_call(request, model=_resource(model))
        return self._call(model, method, body, key)

    def embeddings(self, reply: WireReply, now: float) -> Embeddings:
        """The embeddings in a reply, vectors as numbers.

        Raises:
            ProviderError: the reply is a failure or not what the protocol says.
        """
        return read_embeddings(self._read(reply, now))

    def rate_limits(self, headers: Mapping[str, str], now: float) -> RateLimits | None:  # noqa: ARG002
        """None: Gemini's headers say nothing of rate limits."""
        return None

    def _call(self, model: str, method: str, body: Json, key: str | None) -> WireRequest:
        headers = self._headers if key is None else {**self._headers, "x-goog-api-key": key}
        return WireRequest(f"/{self._version}/{quote(_resource(model))}:{method}", headers, json_bytes(body))

    def _read(self, reply: WireReply, now: float) -> Json:
        if reply.status >= 400:
            raise failure(reply, now)
        body = json_object(reply.body, "the reply")
        error = error_object(body)
        if error is not None:
            raise error
        return body


def _resource(model: str) -> str:
    return model if "/" in model else f"models/{model}"
