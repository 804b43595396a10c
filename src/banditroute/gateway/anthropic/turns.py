"""Anthropic's system prompt and turns as messages in OpenAI's shape."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson

from banditroute.errors import InvalidRequestError
from banditroute.gateway.anthropic.confining import Confinement
from banditroute.gateway.anthropic.marks import EXTRA, is_unsigned
from banditroute.gateway.anthropic.parts import CACHE, content_of, part_of
from banditroute.gateway.anthropic.shapes import blocks_in, kind_of, object_in, objects_in, text_in
from banditroute.records import Json

_USE = frozenset({"type", "id", "name", "input", "caller", CACHE, EXTRA})
_RESULT = frozenset({"type", "tool_use_id", "content", "is_error", CACHE})
_TURN = frozenset({"role", "content"})
_THINKING = frozenset({"thinking", "redacted_thinking"})
_FAILED = "Error: "
"""OpenAI's protocol has no mark for a tool that failed: it is said in words."""


def conversation(system: Any, turns: Any, confined: Confinement) -> tuple[Json, ...]:
    """The messages; results of tools become messages of their own, before what the user says with them.

    Raises:
        InvalidRequestError: it is not what the protocol says; the place is named.
    """
    said = [*_system(system, "system", confined)]
    for place, turn in objects_in(turns, "messages"):
        confined.unless_known(turn, place, _TURN)
        said += _turn(turn, place, confined)
    if not turns or not said:
        raise InvalidRequestError("no message", remedy="give at least one", field="messages")
    if turns[-1].get("role") == "assistant":
        confined.add(f"messages[{len(turns) - 1}]", "the beginning of an answer, to be continued")
    return tuple(said)


def _system(content: Any, place: str, confined: Confinement) -> Iterator[Json]:
    parts = [] if content is None else [part_of(block, where, confined) for where, block in blocks_in(content, place)]
    if parts and content:
        yield {"role": "system", "content": content_of(parts)}


def _turn(turn: Json, place: str, confined: Confinement) -> Iterator[Json]:
    where, content = f"{place}.content", turn.get("content")
    match turn.get("role"):
        case "user":
            yield from _user(content, where, confined)
        case "assistant":
            yield from _assistant(content, where, confined)
        case "system":
            yield from _system(content, where, confined)
        case role:
            raise InvalidRequestError(f"{role!r} is not a role", remedy="use user or assistant", field=f"{place}.role")


def _user(content: Any, place: str, confined: Confinement) -> Iterator[Json]:
    if not content:
        raise InvalidRequestError("no content", remedy="give a text or a list of blocks", field=place)
    parts: list[Json] = []
    for where, block in blocks_in(content, place):
        if block.get("type") != "tool_result":
            parts.append(part_of(block, where, confined))
            continue
        if parts:
            yield {"role": "user", "content": content_of(parts)}
            parts = []
        yield _result(block, where, confined)
    if parts:
        yield {"role": "user", "content": content_of(parts)}


def _result(block: Json, place: str, confined: Confinement) -> Json:
    confined.unless_known(block, place, _RESULT)
    call_id, content = text_in(block, "tool_use_id", place), block.get("content")
    parts = [
        part_of(each, where, confined)
        for where, each in blocks_in("" if content is None else content, f"{place}.content")
    ]
    if any(part.get("type") != "text" for part in parts):
        confined.add(f"{place}.content", "a tool's result that is no text")
    elif block.get("is_error"):
        parts[0] = {"type": "text", "text": _FAILED + parts[0]["text"]}
    return {"role": "tool", "tool_call_id": call_id, "content": content_of(parts)}


def _assistant(content: Any, place: str, confined: Confinement) -> Iterator[Json]:
    thoughts: list[Json] = []
    parts: list[Json] = []
    calls: list[Json] = []
    for where, block in blocks_in([] if content is None or content == "" else content, place):
        if kind_of(block) in _THINKING:
            if not is_unsigned(block):
                confined.add(where, "thinking that is signed")
                thoughts.append(block)
        elif block.get("type") == "tool_use":
            calls.append(_call(block, where, confined))
        else:
            if calls:
                confined.add(where, "what follows a call of a tool")
            parts.append(part_of(block, where, confined))
    if not (thoughts or parts or calls):
        return
    message: dict[str, Any] = {"role": "assistant", "content": content_of(parts) if parts or not calls else None}
    if calls:
        message["tool_calls"] = calls
    if thoughts:
        message["thinking_blocks"] = thoughts
    yield message


def _call(block: Json, place: str, confined: Confinement) -> Json:
    confined.unless_known(block, place, _USE)
    if block.get("caller") not in (None, {"type": "direct"}):
        confined.add(f"{place}.caller")
    arguments = orjson.dumps(object_in(block.get("input"), f"{place}.input")).decode()
    name = text_in(block, "name", place)
    call = {"id": text_in(block, "id", place), "type": "function", "function": {"name": name, "arguments": arguments}}
    return {**call, EXTRA: block[EXTRA]} if block.get(EXTRA) else call
