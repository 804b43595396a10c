"""A whole message as the events of a stream, for servers that answer whole whatever they are asked."""

from __future__ import annotations

from collections.abc import Iterator

import orjson

from banditroute.providers.reading import mapping, objects, word
from banditroute.records import Json

_LAST = ("stop_reason", "stop_sequence", "stop_details", "container")


def events_of(message: Json) -> Iterator[Json]:
    """The events, as Anthropic would have sent them had it had nothing to wait for."""
    usage = mapping(message.get("usage"))
    unsaid = dict.fromkeys(name for name in _LAST if name in message)
    yield {
        "type": "message_start",
        "message": {**message, **unsaid, "content": [], "usage": {**usage, "output_tokens": 0}},
    }
    for index, block in enumerate(objects(message.get("content"))):
        begun, deltas = _unfolded(block)
        yield {"type": "content_block_start", "index": index, "content_block": begun}
        for delta in deltas:
            yield {"type": "content_block_delta", "index": index, "delta": delta}
        yield {"type": "content_block_stop", "index": index}
    yield {"type": "message_delta", "delta": {name: message[name] for name in unsaid}, "usage": usage}
    yield {"type": "message_stop"}


def _unfolded(block: Json) -> tuple[Json, tuple[Json, ...]]:
    """A block as it begins, and what is then added; one that does not grow begins whole."""
    match block.get("type"):
        case "text" if not block.get("citations"):
            return {**block, "text": ""}, ({"type": "text_delta", "text": word(block.get("text"))},)
        case "thinking":
            said = {"type": "thinking_delta", "thinking": word(block.get("thinking"))}
            signed = {"type": "signature_delta", "signature": word(block.get("signature"))}
            return {**block, "thinking": "", "signature": ""}, (said, signed)
        case "tool_use":
            written = orjson.dumps(block.get("input") or {}).decode()
            return {**block, "input": {}}, ({"type": "input_json_delta", "partial_json": written},)
        case _:
            return block, ()
