"""Content blocks of a stream, written one after another from pieces in OpenAI's shape."""

from __future__ import annotations

from typing import Any

import orjson

from banditroute.errors import BrokenReplyError
from banditroute.gateway.anthropic.marks import EXTRA, UNSIGNED, tool_id
from banditroute.providers.reading import count, mapping, word
from banditroute.records import Json


def event(body: Json) -> bytes:
    """A server-sent event, named by its type."""
    return b"event: %b\ndata: %b\n\n" % (str(body["type"]).encode(), orjson.dumps(body))


class BlockWriter:
    """Writes blocks; the one that is open is closed when another begins.

    Args:
        decision_id: names calls of tools whose server gave them no id.
    """

    def __init__(self, decision_id: str) -> None:
        self._decision_id = decision_id
        self._index = -1
        self._open = ""  # the kind of the block that is open; empty = none is
        self._calls: dict[int, _Call] = {}
        self._last: _Call | None = None

    def thinking(self, text: str) -> bytes:
        """The events of a piece of reasoning."""
        start = self._begin("thinking", {"thinking": "", "signature": ""})
        return start + self._delta({"type": "thinking_delta", "thinking": text})

    def text(self, text: str) -> bytes:
        """The events of a piece of text."""
        return self._begin("text", {"text": ""}) + self._delta({"type": "text_delta", "text": text})

    def call(self, fragment: Json) -> bytes:
        """The events of a fragment of a call of a tool.

        Raises:
            BrokenReplyError: it belongs to a call behind which another block has begun.
        """
        function = mapping(fragment.get("function"))
        call, start = self._owner(fragment, function)
        arguments = function.get("arguments")
        if not arguments:
            return start
        if call.index != self._index or self._open != "tool_use":
            raise BrokenReplyError("pieces of a call of a tool came when another block had begun")
        written = arguments if isinstance(arguments, str) else orjson.dumps(arguments).decode()
        return start + self._delta({"type": "input_json_delta", "partial_json": written})

    def close(self) -> bytes:
        """The events that end the block that is open, if one is."""
        if not self._open:
            return b""
        end = b""
        if self._open == "thinking":
            end = self._delta({"type": "signature_delta", "signature": UNSIGNED})
        self._open = ""
        return end + event({"type": "content_block_stop", "index": self._index})

    def _owner(self, fragment: Json, function: Json) -> tuple[_Call, bytes]:
        """The call that a fragment belongs to, and the events that begin it where it is new."""
        place, call_id = count(fragment.get("index")), word(fragment.get("id"))
        known = self._last if place is None else self._calls.get(place)
        # Some servers give every call the same index: a new id with a name begins a new call.
        renamed = known is not None and bool(call_id and function.get("name") and known.call_id != call_id)
        if known is not None and not renamed:
            return known, b""
        named = tool_id(call_id, self._decision_id, len(self._calls))
        fields: dict[str, Any] = {"id": named, "name": word(function.get("name")), "input": {}}
        if fragment.get(EXTRA):
            fields[EXTRA] = fragment[EXTRA]
        start = self.close() + self._begin("tool_use", fields)
        call = self._last = self._calls[len(self._calls) if place is None else place] = _Call(call_id, self._index)
        return call, start

    def _begin(self, kind: str, fields: Json) -> bytes:
        if self._open == kind:
            return b""
        closed = self.close()
        self._open = kind
        self._index += 1
        block = {"type": kind, **fields}
        return closed + event({"type": "content_block_start", "index": self._index, "content_block": block})

    def _delta(self, delta: Json) -> bytes:
        return event({"type": "content_block_delta", "index": self._index, "delta": delta})


class _Call:
    """A call of a tool: its id as the server gave it, and the index of its block."""

    __slots__ = ("call_id", "index")

    def __init__(self, call_id: str, index: int) -> None:
        self.call_id = call_id
        self.index = index
