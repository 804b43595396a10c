"""OpenAI's chat completions, and every server that speaks them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from banditroute.errors import BrokenReplyError, ProviderError
from banditroute.providers import openai_responses
from banditroute.providers.checked import refuse_confined
from banditroute.providers.openai_failures import inner_failure, reply_failure
from banditroute.providers.openai_reply import cached_by_headers, refused, text_of, usage_cost_usd, usage_of
from banditroute.providers.openai_responses import ResponsesReader
from banditroute.providers.openai_stream import OpenAIReader
from banditroute.providers.protocol import WireReply, WireRequest
from banditroute.providers.ratelimits import RateLimits, openai_rate_limits
from banditroute.providers.reading import count, json_object, mapping, objects, word
from banditroute.providers.writing import json_bytes
from banditroute.records import ChatRequest, Completion, EmbeddingRequest, Embeddings, Json, Usage

KeyHeader = Literal["authorization", "api-key"]
TokenLimitField = Literal["as_given", "max_tokens", "max_completion_tokens"]

PROTOCOL = "openai"

_STREAM = {"stream": True}
_CHAT = "/chat/completions"
_EMBEDDINGS = "/embeddings"


def _never(body: Json) -> bool:  # noqa: ARG001 - a reader of bodies
    return False


@dataclass(frozen=True, slots=True)
class OpenAI:
    """The protocol of OpenAI, Azure (its v1 paths), Mistral, Groq, Together, OpenRouter, vLLM, Ollama, llama.cpp.

    Attributes:
        key_header: where the key goes: a bearer token, or Azure's `api-key`.
        token_limit_field: what the limit on the answer is called; reasoning models refuse `max_tokens`, older servers
            do not know `max_completion_tokens`.
        ask_usage: whether a stream is asked to report usage; a few servers refuse the question.
        extra_headers: headers sent with every call.
        cost_usd: reads the dollars that a body states.
        from_cache: whether a body says that a response cache wrote it; headers that say so count as well.
    """

    key_header: KeyHeader = "authorization"
    token_limit_field: TokenLimitField = "as_given"
    ask_usage: bool = True
    extra_headers: tuple[tuple[str, str], ...] = ()
    cost_usd: Callable[[Json], float | None] = usage_cost_usd
    from_cache: Callable[[Json], bool] = _never

    def chat(self, request: ChatRequest, *, model: str, key: str | None, stream: bool) -> WireRequest:
        """The call that asks an upstream model; fields that are not known pass through untouched.

        A request that came in the words of the Responses API is asked there.

        Raises:
            InvalidRequestError: the request cannot be written as JSON.
            UnfitError: only another protocol has words for it.
        """
        native = request.native
        if native is not None and native.protocol == PROTOCOL:
            asked = {**native.body, "model": model, **(_STREAM if stream else {})}
            headers, asked_bytes = self._headers(key), json_bytes(asked)
            return WireRequest(openai_responses.PATH, headers, asked_bytes, ResponsesReader, self._response)
        refuse_confined(request)
        body = {**request.params, "model": model, "messages": request.messages}
        if stream:
            self._ask_stream(body)
        else:
            body.pop("stream", None)
            body.pop("stream_options", None)
        if self.token_limit_field != "as_given":
            _rename_token_limit(body, self.token_limit_field)
        return WireRequest(_CHAT, self._headers(key), json_bytes(body))

    def completion(self, reply: WireReply, now: float) -> Completion:
        """The answer in a reply that is not a stream.

        Raises:
            ProviderError: the reply is a failure (whatever its status) or not what the protocol says.
        """
        body = self._body(reply, now)
        choice = _first_choice(body)
        message = choice.get("message")
        if not isinstance(message, dict):
            raise BrokenReplyError("the answer has no message", status=reply.status)
        finish_reason = word(choice.get("finish_reason")) or None
        return Completion(
            body=body,
            text=text_of(message.get("content")),
            usage=usage_of(body.get("usage")),
            finish_reason=finish_reason,
            tool_calls=objects(message.get("tool_calls")),
            refused=refused(message, finish_reason),
            cost_usd=self.cost_usd(body),
            from_cache=self.from_cache(body) or cached_by_headers(reply.headers),
        )

    def reader(self) -> OpenAIReader:
        """A reader for one stream."""
        return OpenAIReader(self.cost_usd, self.from_cache)

    def failure(self, reply: WireReply, now: float) -> ProviderError:
        """The error that a reply with a status of 400 or more stands for; now is seconds since the epoch."""
        return reply_failure(reply, now)

    def embed(self, request: EmbeddingRequest, *, model: str, key: str | None) -> WireRequest:
        """The call that asks an upstream model for embeddings, in the encoding that the caller named.

        Raises:
            InvalidRequestError: the request cannot be written as JSON.
        """
        body = {**request.params, "model": model, "input": request.inputs}
        return WireRequest(_EMBEDDINGS, self._headers(key), json_bytes(body))

    def embeddings(self, reply: WireReply, now: float) -> Embeddings:
        """The embeddings in a reply.

        Raises:
            ProviderError: the reply is a failure or not what the protocol says.
        """
        body = self._body(reply, now)
        if not isinstance(body.get("data"), list):
            raise BrokenReplyError("the reply has no embeddings", status=reply.status)
        prompt = count(mapping(body.get("usage")).get("prompt_tokens"))
        usage = None if prompt is None else Usage(input_tokens=prompt, output_tokens=0)
        return Embeddings(body, usage, self.cost_usd(body))

    def rate_limits(self, headers: Mapping[str, str], now: float) -> RateLimits | None:
        """What a reply's headers say of the key's rate limits; None where they say nothing."""
        return openai_rate_limits(headers, now)

    def _response(self, reply: WireReply, now: float) -> Completion:
        """The answer in a reply to what the Responses API was asked."""
        return openai_responses.read_response(self._body(reply, now))

    def _ask_stream(self, body: dict[str, Any]) -> None:
        body["stream"] = True
        if self.ask_usage:
            body["stream_options"] = {**mapping(body.get("stream_options")), "include_usage": True}

    def _headers(self, key: str | None) -> Mapping[str, str]:
        headers = {"Content-Type": "application/json", **dict(self.extra_headers)}
        if key is not None:
            bearer = self.key_header == "authorization"
            headers["Authorization" if bearer else "api-key"] = f"Bearer {key}" if bearer else key
        return headers

    def _body(self, reply: WireReply, now: float) -> dict[str, Any]:
        if reply.status >= 400:
            raise reply_failure(reply, now)
        body = json_object(reply.body, "the reply")
        failure = inner_failure(body, reply.headers, now)
        if failure is not None:
            raise failure
        return body


def _first_choice(body: Json) -> Json:
    choices = body.get("choices")
    if not isinstance(choices, list) or not choices or not isinstance(choices[0], dict):
        raise BrokenReplyError("the reply has no choices")
    return choices[0]


def _rename_token_limit(body: dict[str, Any], name: Literal["max_tokens", "max_completion_tokens"]) -> None:
    other = "max_tokens" if name == "max_completion_tokens" else "max_completion_tokens"
    limit = body.pop(other, None)
    if limit is not None and body.get(name) is None:
        body[name] = limit
