"""POST /v1/chat/completions, in OpenAI's words whoever serves."""

from __future__ import annotations

from typing import Any

import orjson
from aiohttp import web

from banditroute.errors import InvalidRequestError
from banditroute.gateway.asking import terms_of, without_terms
from banditroute.gateway.calls import Call
from banditroute.gateway.chunks import Chunks, reported_usage
from banditroute.gateway.streams import relay
from banditroute.gateway.told import tell_answer
from banditroute.records import Answer, Json
from banditroute.routing.requests import chat_request


async def chat(call: Call) -> web.StreamResponse:
    """Answers a chat request, whole or in pieces."""
    body = await call.json()
    terms = terms_of(body, call.caller, call.router.catalog, call.given_id)
    request = chat_request(body.get("messages"), without_terms(body, "model", "messages", "stream"))
    with_usage = _asks_usage(body)
    if streams(body):
        return await relay(call, call.router.serve_stream(request, terms), Chunks(with_usage=with_usage))
    answer = await call.router.serve(request, terms)
    tell_answer(call, answer)
    return call.answer_bytes(orjson.dumps(completion_body(answer)))


def completion_body(answer: Answer) -> dict[str, Any]:
    """The answer as a `chat.completion`: the provider's own where it speaks OpenAI, but for the name of the model."""
    body = {**answer.completion.body, "model": answer.model, "object": "chat.completion"}
    if not body.get("id"):
        body["id"] = f"chatcmpl-{answer.decision_id}"
    if not body.get("created"):
        body["created"] = int(answer.decision.at)
    if not body.get("usage") and answer.usage is not None:
        body["usage"] = reported_usage(answer.usage, estimated=answer.outcome.estimated)
    return body


def streams(body: Json) -> bool:
    """Whether a body asks for a stream.

    Raises:
        InvalidRequestError: it does not say so in JSON's words.
    """
    stream = body.get("stream")
    if stream is not None and not isinstance(stream, bool):
        raise InvalidRequestError("expected true or false", field="stream")
    return bool(stream)


def _asks_usage(body: Json) -> bool:
    options = body.get("stream_options")
    if options is not None and not isinstance(options, dict):
        raise InvalidRequestError("expected an object", field="stream_options")
    return bool((options or {}).get("include_usage"))
