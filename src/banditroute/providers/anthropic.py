"""Anthropic's Messages API (https://docs.anthropic.com/en/api/messages), version 2023-06-01."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from banditroute.errors import ProviderError, UnfitError
from banditroute.providers.anthropic_failures import error_event, failure
from banditroute.providers.anthropic_reply import read_message
from banditroute.providers.anthropic_request import messages_body
from banditroute.providers.anthropic_stream import AnthropicReader
from banditroute.providers.checked import refuse_confined
from banditroute.providers.protocol import StreamReader, WireReply, WireRequest
from banditroute.providers.ratelimits import RateLimits, anthropic_rate_limits
from banditroute.providers.reading import json_object
from banditroute.providers.writing import json_bytes
from banditroute.records import ChatRequest, Completion, EmbeddingRequest, Embeddings

PROTOCOL = "anthropic"
VERSION = "2023-06-01"
VERSIONS = (VERSION, "2026-10-21")
"""Those that callers may speak: the later one only takes away what the earlier one allowed."""

_BETA = "anthropic-beta"
_STREAM = {"stream": True}
_NO_LIMITS: Mapping[str, int] = MappingProxyType({})


class Anthropic:
    """Speaks Anthropic's protocol.

    Args:
        default_max_tokens: limit on the answer where the caller names none, because Anthropic needs one.
        longest_answers: the same by upstream model, where it is known.
        version: the value of `anthropic-version`.
        betas: names for `anthropic-beta`.
        headers: further headers of every call.
        path: what follows the base URL.
    """

    def __init__(
        self,
        *,
        default_max_tokens: int = 4096,
        longest_answers: Mapping[str, int] = _NO_LIMITS,
        version: str = VERSION,
        betas: tuple[str, ...] = (),
        headers: Mapping[str, str] | None = None,
        path: str = "/v1/messages",
    ) -> None:
        self._default_max_tokens = default_max_tokens
        self._longest_answers = longest_answers
        self._path = path
        self._headers = {"content-type": "application/json", "anthropic-version": version, **(headers or {})}
        self._betas = betas
        if betas:
            self._headers[_BETA] = ",".join(betas)

    def chat(self, request: ChatRequest, *, model: str, key: str | None, stream: bool) -> WireRequest:
        """The call that asks an upstream model; a request in Anthropic's own words goes out as its caller wrote it.

        Raises:
            UnfitError: the request asks for what Anthropic has no way to do; the field is named.
        """
        native = request.native
        headers = self._headers if key is None else {**self._headers, "x-api-key": key}
        if native is not None and native.protocol == PROTOCOL:
            body = {**native.body, "model": model, **(_STREAM if stream else {})}
            return WireRequest(self._path, {**headers, **self._added(native.headers)}, json_bytes(body))
        refuse_confined(request)
        longest = self._longest_answers.get(model, self._default_max_tokens)
        body = messages_body(request, model=model, stream=stream, default_max_tokens=longest)
        return WireRequest(self._path, headers, json_bytes(body))

    def _added(self, headers: Mapping[str, str]) -> Mapping[str, str]:
        """A caller's headers, its features beside those that the configuration asks for."""
        if _BETA not in headers or not self._betas:
            return headers
        return {**headers, _BETA: ",".join((*self._betas, headers[_BETA]))}

    def completion(self, reply: WireReply, now: float) -> Completion:
        """The answer in a reply that is not a stream.

        Raises:
            ProviderError: the reply is a failure (whatever its status) or not what the protocol says.
        """
        if reply.status >= 400:
            raise self.failure(reply, now)
        body = json_object(reply.body, "the reply")
        if body.get("type") == "error":
            raise error_event(body)
        return replace(read_message(body, created=int(now)), native=body)

    def reader(self) -> StreamReader:
        """A reader for one stream."""
        return AnthropicReader()

    def failure(self, reply: WireReply, now: float) -> ProviderError:
        """The error that a reply with a status of 400 or more stands for; now is seconds since the epoch."""
        return failure(reply, now)

    def embed(self, request: EmbeddingRequest, *, model: str, key: str | None) -> WireRequest:  # noqa: ARG002
        """Nothing: Anthropic has no embeddings.

        Raises:
            UnfitError: always.
        """
        raise UnfitError("Anthropic has no embeddings", code="unsupported_endpoint")

    def embeddings(self, reply: WireReply, now: float) -> Embeddings:  # noqa: ARG002
        """Nothing: Anthropic has no embeddings.

        Raises:
            UnfitError: always.
        """
        raise UnfitError("Anthropic has no embeddings", code="unsupported_endpoint")

    def rate_limits(self, headers: Mapping[str, str], now: float) -> RateLimits | None:
        """What a reply's headers say of the key's rate limits; None where they say nothing."""
        return anthropic_rate_limits(headers, now)
