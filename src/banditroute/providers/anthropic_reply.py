"""An answer of Anthropic's Messages API, read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import orjson

from banditroute.errors import BrokenReplyError
from banditroute.providers.canonical_reply import Choice, completion, tokens, tool_call
from banditroute.providers.reading import mapping, word
from banditroute.records import Completion, Json, Usage

_FINISH_REASONS: Mapping[str, str] = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "pause_turn": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "tool_use": "tool_calls",
    "refusal": "content_filter",
}
_THINKING = ("thinking", "redacted_thinking")


def read_message(message: Json, *, created: int) -> Completion:
    """The answer that a `message` object holds.

    Raises:
        BrokenReplyError: it is not a message.
    """
    blocks = message.get("content")
    if not isinstance(blocks, list):
        raise BrokenReplyError("the reply has no content")
    return completion(
        [_choice([mapping(block) for block in blocks], word(message.get("stop_reason")) or None)],
        read_usage(mapping(message.get("usage"))),
        response_id=str(message.get("id") or ""),
        model=str(message.get("model") or ""),
        created=created,
    )


def finish_reason(stop_reason: str) -> str:
    """OpenAI's word for one of Anthropic's; one that is not known (yet) ends an answer like any other."""
    return _FINISH_REASONS.get(stop_reason, "stop")


def read_usage(usage: Json) -> Usage | None:
    """Tokens as billed; None where there is no count.

    Anthropic counts what it read from its cache and what it wrote there apart from the rest of the prompt.
    """
    if "output_tokens" not in usage:
        return None
    written = tokens(usage, "cache_creation_input_tokens")
    output = tokens(usage, "output_tokens")
    cached = tokens(usage, "cache_read_input_tokens")
    return Usage(
        input_tokens=tokens(usage, "input_tokens") + written + cached,
        output_tokens=output,
        cached_input_tokens=cached,
        cache_write_tokens=written,
        reasoning_tokens=min(tokens(mapping(usage.get("output_tokens_details")), "thinking_tokens"), output),
    )


def _choice(blocks: list[Json], stop_reason: str | None) -> Choice:
    thinking = [block for block in blocks if block.get("type") in _THINKING]
    return Choice(
        text=_joined(blocks, "text"),
        reasoning=_joined(blocks, "thinking"),
        tool_calls=tuple(_call(block) for block in blocks if block.get("type") == "tool_use"),
        finish_reason=None if stop_reason is None else finish_reason(stop_reason),
        native_finish_reason=stop_reason,
        extras=(("thinking_blocks", thinking),) if thinking else (),
        refused=stop_reason == "refusal",
    )


def _joined(blocks: Iterable[Json], kind: str) -> str:
    return "".join(word(block.get(kind)) for block in blocks if block.get("type") == kind)


def _call(block: Json) -> Json:
    written = block.get("input")
    text = written if isinstance(written, str) else orjson.dumps(written or {}).decode()
    return tool_call(str(block.get("id") or ""), str(block.get("name") or ""), text)
