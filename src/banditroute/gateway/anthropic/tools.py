"""Anthropic's tools, and what it says of calling them, in OpenAI's shape."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from banditroute.errors import InvalidRequestError
from banditroute.gateway.anthropic.confining import Confinement
from banditroute.gateway.anthropic.parts import CACHE
from banditroute.gateway.anthropic.shapes import kind_of, object_in, objects_in, text_in
from banditroute.records import Json

_OWN = frozenset({"type", "name", "description", "input_schema", "strict", "eager_input_streaming", CACHE})
_CHOICE = frozenset({"type", "name", "disable_parallel_tool_use"})
_WORDS: Mapping[str, str] = {"auto": "auto", "any": "required", "none": "none"}
_ORDINARY = (None, "custom")


def tools(value: Any, confined: Confinement) -> Json:
    """The tools that the model may call; those that Anthropic itself knows or runs are nobody else's.

    Raises:
        InvalidRequestError: one is not what the protocol says.
    """
    found = [_tool(tool, place, confined) for place, tool in objects_in(value, "tools")]
    return {"tools": found} if found else {}


def tool_choice(value: Any, confined: Confinement) -> Json:
    """Whether and which tools are to be called.

    Raises:
        InvalidRequestError: it is not what the protocol says.
    """
    choice = object_in(value, "tool_choice")
    confined.unless_known(choice, "tool_choice", _CHOICE)
    kind = kind_of(choice)
    if kind == "tool":
        said: Any = {"type": "function", "function": {"name": text_in(choice, "name", "tool_choice")}}
    elif kind in _WORDS:
        said = _WORDS[kind]
    else:
        raise InvalidRequestError(f"{kind!r} is not known", remedy="use auto, any, tool or none", field="tool_choice")
    one_by_one = {"parallel_tool_calls": False} if choice.get("disable_parallel_tool_use") else {}
    return {"tool_choice": said, **one_by_one}


def _tool(tool: Json, place: str, confined: Confinement) -> Json:
    if tool.get("type") not in _ORDINARY:
        confined.add(place, str(tool["type"]))
        return tool
    confined.unless_known(tool, place, _OWN)
    function: dict[str, Any] = {"name": text_in(tool, "name", place)}
    if tool.get("description") is not None and (described := text_in(tool, "description", place)):
        function["description"] = described
    function["parameters"] = object_in(tool.get("input_schema"), f"{place}.input_schema")
    if tool.get("strict") is not None:
        function["strict"] = tool["strict"]
    return {"type": "function", "function": function}
