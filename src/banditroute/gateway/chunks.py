"""A stream's pieces in OpenAI's words: `chat.completion.chunk` events, usage only for who asked, and the end."""

from __future__ import annotations

from typing import Any

import orjson

from banditroute.gateway.refusals import Refusal
from banditroute.gateway.wire_errors import openai_error
from banditroute.providers.canonical_reply import usage_body
from banditroute.records import Answer, Decision, Delta, Json, Usage

DONE = b"data: [DONE]\n\n"


class Chunks:
    """Writes one stream's events.

    The pieces are the provider's own where it speaks OpenAI, but for the name of the model.

    Args:
        with_usage: the caller asked for usage.
    """

    def __init__(self, *, with_usage: bool) -> None:
        self._with_usage = with_usage
        self._reported = False
        self._head: dict[str, Any] = {}

    def begin(self, decision: Decision, model: str) -> None:
        """Takes note of what every piece says of the stream."""
        named = {"id": f"chatcmpl-{decision.decision_id}", "object": "chat.completion.chunk"}
        self._head = {**named, "created": int(decision.at), "model": model}

    def piece(self, delta: Delta) -> bytes:
        """The event of a piece; empty where it is nothing to the caller."""
        chunk = delta.chunk
        if chunk.get("usage") is not None and not self._with_usage:
            if not chunk.get("choices"):
                return b""
            chunk = {name: value for name, value in chunk.items() if name != "usage"}
        elif chunk.get("usage") and not chunk.get("choices"):
            self._reported = True
        return _event(self._headed(chunk))

    def end(self, answer: Answer) -> bytes:
        """The last events: usage, where it was asked for and no provider has reported it, and the end."""
        if not self._with_usage or self._reported or answer.usage is None:
            return DONE
        usage = reported_usage(answer.usage, estimated=answer.outcome.estimated)
        return _event({**self._head, "choices": [], "usage": usage}) + DONE

    def failure(self, refusal: Refusal) -> bytes:
        """The event of a stream that broke off; no end follows it."""
        return _event(openai_error(refusal))

    def _headed(self, chunk: Json) -> dict[str, Any]:
        headed = {**self._head, **chunk, "model": self._head["model"]}
        if not headed["id"]:
            headed["id"] = self._head["id"]
        if not headed["created"]:
            headed["created"] = self._head["created"]
        return headed


def reported_usage(usage: Usage, *, estimated: bool) -> dict[str, Any]:
    """Usage in OpenAI's shape; one that no provider reported says so."""
    body = usage_body(usage)
    return {**body, "estimated": True} if estimated else body


def _event(chunk: Json) -> bytes:
    return b"data: " + orjson.dumps(chunk) + b"\n\n"
