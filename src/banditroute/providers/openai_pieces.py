"""Piecing a streamed answer together, choice by choice and tool call by tool call."""

from __future__ import annotations

from typing import Any

import orjson

from banditroute.providers.openai_reply import reasoning_of, text_of
from banditroute.providers.reading import count, listing, mapping, objects, word
from banditroute.records import Json

_OWN_FIELDS = frozenset({"role", "content", "reasoning", "reasoning_content", "refusal", "tool_calls"})


class ChoicePieces:
    """One answer of a stream, as far as it has come."""

    __slots__ = (
        "_extras",
        "_logprobs",
        "_reasoning",
        "_reasoning_name",
        "_refusal",
        "_text",
        "_tools",
        "finish_reason",
    )

    def __init__(self) -> None:
        self.finish_reason: str | None = None
        self._text: list[str] = []
        self._reasoning: list[str] = []
        self._reasoning_name = "reasoning_content"
        self._refusal: list[str] = []
        self._tools = ToolPieces()
        self._logprobs: list[Any] = []
        self._extras: dict[str, Any] = {}

    def add(self, delta: Json, choice: Json) -> tuple[str, str]:
        """The text and the reasoning that a delta adds.

        Raises:
            BrokenReplyError: its content is of no known shape.
        """
        text, reasoning = text_of(delta.get("content")), reasoning_of(delta)
        if text:
            self._text.append(text)
        if reasoning:
            self._reasoning.append(reasoning)
            self._reasoning_name = "reasoning" if delta.get("reasoning") else "reasoning_content"
        for fragment in objects(delta.get("tool_calls")):
            self._tools.add(fragment)
        self._add_rest(delta, choice)
        self.finish_reason = word(choice.get("finish_reason")) or self.finish_reason
        return text, reasoning

    @property
    def text(self) -> str:
        """What the assistant has written."""
        return "".join(self._text)

    @property
    def tool_calls(self) -> tuple[Json, ...]:
        """The tool calls, their arguments as whole as they have come."""
        return self._tools.whole()

    def message(self) -> dict[str, Any]:
        """The answer as a `message` of a chat completion."""
        tool_calls = self.tool_calls
        text = self.text
        message: dict[str, Any] = {"role": "assistant", "content": text if text or not tool_calls else None}
        if self._refusal:
            message["refusal"] = "".join(self._refusal)
        if self._reasoning:
            message[self._reasoning_name] = "".join(self._reasoning)
        if tool_calls:
            message["tool_calls"] = list(tool_calls)
        return {**message, **self._extras}

    def body(self, index: int) -> dict[str, Any]:
        """The answer as an element of `choices`."""
        logprobs = {"content": list(self._logprobs)} if self._logprobs else None
        return {"index": index, "message": self.message(), "logprobs": logprobs, "finish_reason": self.finish_reason}

    def _add_rest(self, delta: Json, choice: Json) -> None:
        if refusal := word(delta.get("refusal")):
            self._refusal.append(refusal)
        if logprobs := choice.get("logprobs"):
            self._logprobs.extend(listing(mapping(logprobs).get("content")))
        for name, value in delta.items():
            if name not in _OWN_FIELDS and value is not None:
                self._extras[name] = _merged(self._extras.get(name), value)


class ToolPieces:
    """The tool calls of one answer, pieced together from fragments."""

    __slots__ = ("_by_index", "_calls")

    def __init__(self) -> None:
        self._calls: list[_ToolCall] = []
        self._by_index: dict[int, _ToolCall] = {}

    def add(self, fragment: Json) -> None:
        """Adds a fragment to the call that it belongs to."""
        call = self._owner(fragment)
        call.add(fragment)

    def whole(self) -> tuple[Json, ...]:
        """The calls in the order in which they began."""
        return tuple(call.whole() for call in self._calls)

    def _owner(self, fragment: Json) -> _ToolCall:
        # Fragments belong together by index. Some servers leave it out, and some give every whole call the same one:
        # a new id with a name begins a new call. An id alone does not, for some servers make one up per fragment.
        index = count(fragment.get("index"))
        known = self._by_index.get(index) if index is not None else (self._calls[-1] if self._calls else None)
        if known is None or _begins(fragment, known):
            known = _ToolCall()
            self._calls.append(known)
            if index is not None:
                self._by_index[index] = known
        return known


class _ToolCall:
    __slots__ = ("arguments", "call_id", "kind", "name")

    def __init__(self) -> None:
        self.call_id = ""
        self.kind = "function"
        self.name = ""
        self.arguments: list[str] = []

    def add(self, fragment: Json) -> None:
        self.call_id = self.call_id or word(fragment.get("id"))
        self.kind = word(fragment.get("type")) or self.kind
        called = mapping(fragment.get(self.kind))
        self.name = self.name or word(called.get("name"))
        arguments = called.get("input" if self.kind == "custom" else "arguments")
        if arguments:  # a text; some local servers send the object itself
            self.arguments.append(arguments if isinstance(arguments, str) else orjson.dumps(arguments).decode())

    def whole(self) -> Json:
        arguments = "input" if self.kind == "custom" else "arguments"
        called = {"name": self.name, arguments: "".join(self.arguments)}
        return {"id": self.call_id, "type": self.kind, self.kind: called}


def _begins(fragment: Json, known: _ToolCall) -> bool:
    call_id = word(fragment.get("id"))
    named = mapping(fragment.get("function") or fragment.get("custom")).get("name")
    return bool(call_id and named and known.call_id and call_id != known.call_id)


def _merged(known: Any, more: Any) -> Any:
    """What two pieces of a field come to, as the official client has it; fields that are not known, audio say."""
    if isinstance(known, str) and isinstance(more, str):
        return known + more
    if isinstance(known, list) and isinstance(more, list):
        return [*known, *more]
    if isinstance(known, dict) and isinstance(more, dict):
        return {**known, **{name: _merged(known.get(name), value) for name, value in more.items()}}
    return known if more is None else more
