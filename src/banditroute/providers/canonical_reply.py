"""Writing answers in OpenAI's shape from those of a provider that speaks another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from banditroute.providers.reading import count
from banditroute.records import Completion, Delta, Json, Usage


@dataclass(frozen=True, slots=True)
class Choice:
    """One answer of a reply.

    Attributes:
        text: what the assistant wrote.
        reasoning: its reasoning, where shown.
        tool_calls: OpenAI's `tool_calls`.
        finish_reason: OpenAI's word for why it ended.
        native_finish_reason: the provider's own word.
        extras: further fields of the message: what the provider wants back in the next turn.
        refused: the provider or the model declined to answer.
    """

    text: str
    reasoning: str = ""
    tool_calls: tuple[Json, ...] = ()
    finish_reason: str | None = None
    native_finish_reason: str | None = None
    extras: tuple[tuple[str, Any], ...] = ()
    refused: bool = False

    def body(self, index: int) -> dict[str, Any]:
        """The answer as an element of `choices`."""
        message: dict[str, Any] = {"role": "assistant", "content": self.text or None}
        if self.reasoning:
            message["reasoning_content"] = self.reasoning
        if self.tool_calls:
            message["tool_calls"] = list(self.tool_calls)
        message.update(self.extras)
        return {
            "index": index,
            "message": message,
            "finish_reason": self.finish_reason,
            "native_finish_reason": self.native_finish_reason,
            "logprobs": None,
        }


@dataclass(frozen=True, slots=True)
class Chunks:
    """Writes the chunks of one stream; `created` is 0 because a stream's reader has no clock."""

    response_id: str
    model: str

    def delta(self, text: str = "", *, index: int = 0, **fields: Any) -> Delta:
        """A piece of an answer; `fields` are further fields of its delta.

        Only the first answer's pieces count as the answer: a caller of several reads the rest from the chunk.
        """
        delta = {"content": text, **fields} if text else fields
        chunk = self._chunk([{"index": index, "delta": delta, "finish_reason": None}])
        if index:
            return Delta(chunk)
        calls = tuple(fields.get("tool_calls", ()))
        return Delta(chunk, text=text, reasoning=fields.get("reasoning_content", ""), tool_calls=calls)

    def role(self, index: int = 0) -> Delta:
        """The piece that opens an answer."""
        return Delta(
            self._chunk([{"index": index, "delta": {"role": "assistant", "content": ""}, "finish_reason": None}])
        )

    def finish(self, reason: str, native: str | None, index: int = 0) -> Delta:
        """The piece that closes an answer."""
        choice = {"index": index, "delta": {}, "finish_reason": reason, "native_finish_reason": native}
        return Delta(self._chunk([choice]), finish_reason=None if index else reason)

    def usage(self, usage: Usage) -> Delta:
        """The piece that reports usage."""
        return Delta({**self._chunk([]), "usage": usage_body(usage)})

    def _chunk(self, choices: list[dict[str, Any]]) -> dict[str, Any]:
        return {
            "id": self.response_id,
            "object": "chat.completion.chunk",
            "created": 0,
            "model": self.model,
            "choices": choices,
        }


def tool_call(call_id: str, name: str, arguments: str) -> dict[str, Any]:
    """A function call as an element of `tool_calls`."""
    return {"id": call_id, "type": "function", "function": {"name": name, "arguments": arguments}}


def usage_body(usage: Usage) -> dict[str, Any]:
    """Usage in OpenAI's shape; tokens written to a cache, which OpenAI does not count, under a name of their own."""
    return {
        "prompt_tokens": usage.input_tokens,
        "completion_tokens": usage.output_tokens,
        "total_tokens": usage.input_tokens + usage.output_tokens,
        "prompt_tokens_details": {
            "cached_tokens": usage.cached_input_tokens,
            "cache_write_tokens": usage.cache_write_tokens,
        },
        "completion_tokens_details": {"reasoning_tokens": usage.reasoning_tokens},
    }


def completion(
    choices: Sequence[Choice], usage: Usage | None, *, response_id: str, model: str, created: int
) -> Completion:
    """A whole answer from its choices, of which the first is what counts."""
    body: dict[str, Any] = {
        "id": response_id,
        "object": "chat.completion",
        "created": created,
        "model": model,
        "choices": [choice.body(index) for index, choice in enumerate(choices)],
    }
    if usage is not None:
        body["usage"] = usage_body(usage)
    first = choices[0]
    return Completion(
        body,
        text=first.text,
        usage=usage,
        finish_reason=first.finish_reason,
        tool_calls=first.tool_calls,
        refused=first.refused,
    )


def tokens(usage: Json, name: str) -> int:
    """A number of tokens as a provider reports it; 0 where it reports none, or nonsense."""
    return count(usage.get(name)) or 0
