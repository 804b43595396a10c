"""Whether an answer calls tools as they can be called."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

import orjson

from banditroute.errors import UngradableError
from banditroute.grading.protocol import Item
from banditroute.grading.schemas import checker, schema_library
from banditroute.records import Json


@dataclass(frozen=True, slots=True)
class ToolCallsValid:
    """The share of an answer's tool calls that name a tool of the request and give it arguments that it takes.

    0 where a call was demanded and none came; None where nothing was called and nothing had to be.

    Attributes:
        name: the source of its grades.
        check_schema: hold arguments against the tool's parameters; needs the extra `grading`.

    Raises:
        MissingExtraError: it is to, and jsonschema is not installed.
    """

    name: str = "tool_calls"
    check_schema: bool = True

    def __post_init__(self) -> None:
        if self.check_schema:
            schema_library()

    def grade(self, item: Item) -> float | None:
        """From 0 to 1, or None.

        Raises:
            UngradableError: the request's tools have no names, or a tool's parameters are no JSON Schema or take too
                long.
        """
        tools = _tools(item.request.params)
        calls = item.completion.tool_calls
        if not calls:
            return 0.0 if tools and _demanded(item.request.params.get("tool_choice")) else None
        return sum(self._valid(call, tools) for call in calls) / len(calls)

    def _valid(self, call: Json, tools: Mapping[str, object]) -> bool:
        function: Any = call.get("function")
        if not isinstance(function, Mapping):
            return False
        called = cast("Json", function)
        name, arguments = called.get("name"), called.get("arguments", "")
        if not isinstance(name, str) or name not in tools:
            return False
        try:
            value = orjson.loads(arguments or "{}") if isinstance(arguments, str) else arguments
        except ValueError:
            return False
        parameters = tools[name]
        if not self.check_schema or not isinstance(parameters, Mapping):
            return isinstance(value, dict)
        return checker(cast("Json", parameters)).allows(value)


def _tools(params: Json) -> Mapping[str, object]:
    """The parameters of each tool by its name.

    Raises:
        UngradableError: the request's tools are none.
    """
    listed = params.get("tools") or []
    try:
        return {tool["function"]["name"]: tool["function"].get("parameters") for tool in listed if "function" in tool}
    except (TypeError, KeyError, AttributeError):
        raise UngradableError("the request's tools have no names") from None


def _demanded(choice: object) -> bool:
    return choice == "required" or isinstance(choice, Mapping)
