"""A stream of Anthropic's Messages API, read event by event."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import orjson

from banditroute.errors import BrokenReplyError, CutStreamError
from banditroute.providers.anthropic_failures import error_event
from banditroute.providers.anthropic_reply import finish_reason, read_message, read_usage
from banditroute.providers.canonical_reply import Chunks, tool_call
from banditroute.providers.piecewise import Piecewise
from banditroute.providers.reading import json_object, mapping
from banditroute.providers.sse import ServerSentEvent
from banditroute.records import Completion, Delta, Json

_PIECES = {
    "text_delta": "text",
    "thinking_delta": "thinking",
    "signature_delta": "signature",
    "input_json_delta": "partial_json",
}
_OPENAIS = frozenset({"text", "thinking", "redacted_thinking", "tool_use"})


class AnthropicReader:
    """Reads one stream: every block is kept as it grows, so that the whole answer is read like one that came whole."""

    __slots__ = ("_blocks", "_calls", "_chunks", "_finished", "_message", "_stream", "_untold", "_usage")

    def __init__(self) -> None:
        self._stream = Piecewise()
        self._chunks = Chunks("", "")
        self._message: dict[str, Any] = {}
        self._usage: dict[str, Any] = {}
        self._blocks: dict[int, _Block] = {}
        self._untold: list[Json] = []
        self._calls = 0
        self._finished = False

    @property
    def finished(self) -> bool:
        """Whether the end has been read: the message's, or an error."""
        return self._finished or self._stream.failure is not None

    def feed(self, data: bytes) -> list[Delta]:
        """The pieces that became whole with these bytes; an error that comes behind some is raised by the next call.

        Raises:
            ProviderError: the stream carries an error event, or is not what the protocol says.
        """
        return self._stream.feed(data, self._read_event)

    def close(self) -> Completion:
        """The whole answer.

        Raises:
            CutStreamError: the end has not been read.
            ProviderError: an error was read.
        """
        self._stream.check()
        if not self._finished:
            raise CutStreamError("the stream ended before message_stop")
        return self.partial()

    def partial(self) -> Completion:
        """What has arrived; the usage that opens a stream is left out, for it knows nothing of the answer's length."""
        blocks = [block.whole() for _, block in sorted(self._blocks.items())]
        usage = self._usage if "stop_reason" in self._message else {}
        return read_message({**self._message, "content": blocks, "usage": usage}, created=0)

    def _read_event(self, event: ServerSentEvent, deltas: list[Delta]) -> None:
        deltas += self._told(json_object(event.data, "an event of the stream"))

    def _told(self, body: Json) -> list[Delta]:
        """The pieces of an event; the first carries it and those before it that had none, for who reads them natively.

        What a server's own tools do is nothing to OpenAI's readers, but is told at once: they may take their time.
        """
        if body.get("type") != "ping":
            self._untold.append(body)
        deltas = self._read(body)
        if not deltas and self._is_foreign(body):
            deltas = [self._chunks.delta()]
        if deltas:
            deltas[0] = replace(deltas[0], native=tuple(self._untold))
            self._untold = []
        return deltas

    def _is_foreign(self, body: Json) -> bool:
        if body.get("type") not in ("content_block_start", "content_block_delta"):
            return False
        block = self._blocks.get(_index(body))
        return block is not None and block.kind not in _OPENAIS

    def _read(self, body: Json) -> list[Delta]:
        match body.get("type"):
            case "message_start":
                return self._start(mapping(body.get("message")))
            case "content_block_start":
                return self._open_block(body)
            case "content_block_delta":
                return self._grow_block(body)
            case "content_block_stop":
                return self._close_block(body)
            case "message_delta":
                self._usage.update({k: v for k, v in mapping(body.get("usage")).items() if v is not None})
                self._message.update(mapping(body.get("delta")))
                return []
            case "message_stop":
                return self._stop()
            case "error":
                raise error_event(body)
            case _:  # a ping, or an event that is not known (yet): the protocol asks to skip both
                return []

    def _start(self, message: Json) -> list[Delta]:
        self._message = {name: message.get(name) for name in ("id", "model")}
        self._usage = dict(mapping(message.get("usage")))
        self._chunks = Chunks(str(message.get("id") or ""), str(message.get("model") or ""))
        return [self._chunks.role()]

    def _open_block(self, body: Json) -> list[Delta]:
        start = mapping(body.get("content_block"))
        block = _Block(start, call=self._calls)
        self._blocks[_index(body)] = block
        if block.kind == "tool_use":
            self._calls += 1
            call = {"index": block.call, **tool_call(start.get("id", ""), start.get("name", ""), "")}
            return [self._chunks.delta(tool_calls=[call])]
        return self._piece(block, block.kind, str(start.get(block.kind) or ""))

    def _grow_block(self, body: Json) -> list[Delta]:
        delta = mapping(body.get("delta"))
        block = self._blocks.get(_index(body))
        if block is None:
            raise BrokenReplyError("the stream adds to a block that it did not open")
        field = _PIECES.get(str(delta.get("type")))
        piece = delta.get(field) if field else None
        if not field or not isinstance(piece, str) or not piece:
            return []
        block.add(field, piece)
        return self._piece(block, field, piece)

    def _close_block(self, body: Json) -> list[Delta]:
        block = self._blocks.get(_index(body))
        if block is None:
            return []
        if block.kind == "tool_use" and not block.has("partial_json"):  # a call without arguments
            return self._piece(block, "partial_json", block.whole_input())
        if block.kind in ("thinking", "redacted_thinking"):
            return [self._chunks.delta(thinking_blocks=[block.whole()])]
        return []

    def _piece(self, block: _Block, field: str, piece: str) -> list[Delta]:
        if not piece:
            return []
        match field:
            case "text":
                return [self._chunks.delta(piece)]
            case "thinking":
                return [self._chunks.delta(reasoning_content=piece)]
            case "partial_json" if block.kind == "tool_use":
                call = {"index": block.call, "function": {"arguments": piece}}
                return [self._chunks.delta(tool_calls=[call])]
            case _:
                return []

    def _stop(self) -> list[Delta]:
        self._finished = True
        native = self._message.setdefault("stop_reason", None)
        deltas = [self._chunks.finish(finish_reason(str(native)), native)]
        usage = read_usage(self._usage)
        return deltas if usage is None else [*deltas, self._chunks.usage(usage)]


class _Block:
    """One content block as it grows."""

    __slots__ = ("_pieces", "_start", "call", "kind")

    def __init__(self, start: Json, *, call: int) -> None:
        self.kind = str(start.get("type"))
        self.call = call
        self._start = start
        self._pieces: dict[str, list[str]] = {}

    def add(self, field: str, piece: str) -> None:
        self._pieces.setdefault(field, []).append(piece)

    def has(self, field: str) -> bool:
        return field in self._pieces

    def whole_input(self) -> str:
        pieces = self._pieces.get("partial_json")
        return "".join(pieces) if pieces else orjson.dumps(self._start.get("input") or {}).decode()

    def whole(self) -> dict[str, Any]:
        block = dict(self._start)
        for field, pieces in self._pieces.items():
            if field != "partial_json":
                block[field] = str(self._start.get(field) or "") + "".join(pieces)
        if self.kind == "tool_use":
            block["input"] = self.whole_input()
        return block


def _index(body: Json) -> int:
    index = body.get("index")
    if not isinstance(index, int):
        raise BrokenReplyError("an event of the stream names no block")
    return index
