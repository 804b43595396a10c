"""Reading a chat request in OpenAI's shape on behalf of a provider that speaks another."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

from banditroute.providers.checked import object_of, objects, text_of, unfit
from banditroute.records import Json

LABELS = frozenset({"user", "safety_identifier", "metadata", "prompt_cache_key", "prompt_cache_retention"})
"""Fields that name a call in the provider's own books: no answer depends on them, so where a provider has no place for
them they stay behind."""

_NEUTRAL: Mapping[str, Collection[Any]] = {
    "n": (1,),
    "logprobs": (False,),
    "top_logprobs": (0,),
    "logit_bias": ({},),
    "frequency_penalty": (0,),
    "presence_penalty": (0,),
    "store": (False,),
    "modalities": (["text"],),
    "verbosity": ("medium",),
}
"""Values that ask for what every provider does anyway."""

NO_PARAMETERS: Json = {"type": "object", "properties": {}}
"""The schema of a function that takes no arguments."""

_OPENAI_ALONE = frozenset(
    {"audio", "logit_bias", "logprobs", "modalities", "moderation", "prediction", "store", "top_logprobs"}
    | {"verbosity", "web_search_options"}
)


class Function(NamedTuple):
    """A function that the model may call.

    `parameters` is None where it takes none; `extras` is what the caller wrote beside OpenAI's own fields.
    """

    name: str
    description: str | None
    parameters: Json | None
    strict: bool
    extras: Json


def asked(params: Json, *, unsupported: Collection[str], provider: str) -> dict[str, Any]:
    """The parameters that ask for something: nulls, neutral values and stream options left out.

    Raises:
        UnfitError: one is OpenAI's alone, or is in `unsupported`.
    """
    fields = {
        name: value
        for name, value in params.items()
        if value is not None and value not in _NEUTRAL.get(name, ()) and name != "stream_options"
    }
    for name in fields:
        if name in _OPENAI_ALONE or name in unsupported:
            raise unfit(name, f"{provider} has no such option")
    return fields


def token_limit(fields: dict[str, Any]) -> int | None:
    """The caller's limit on the answer, in tokens, taken out of the fields."""
    older = fields.pop("max_tokens", None)
    return fields.pop("max_completion_tokens", older)


def stop_texts(fields: dict[str, Any]) -> list[str] | None:
    """The texts at which the answer shall stop, taken out of the fields."""
    stop = fields.pop("stop", None)
    return [stop] if isinstance(stop, str) else stop


def asks_for_json(response_format: Any) -> bool:
    """Whether a response format asks for more than text."""
    return response_format is not None and object_of(response_format, "response_format").get("type") != "text"


def json_schema(response_format: Json) -> Json | None:
    """The schema that a response format asks for; None where it asks for any JSON.

    Raises:
        UnfitError: the format is not one of OpenAI's.
    """
    kind = response_format.get("type")
    if kind == "json_object":
        return None
    if kind != "json_schema":
        raise unfit("response_format.type", f"{kind!r} is not known")
    named = object_of(response_format.get("json_schema"), "response_format.json_schema")
    return object_of(named.get("schema", {"type": "object"}), "response_format.json_schema.schema")


def split_tools(fields: dict[str, Any]) -> tuple[list[Function], list[Json]]:
    """The functions, and the tools that are not in OpenAI's shape (the provider's own), taken out of the fields.

    Raises:
        UnfitError: a tool is of a kind that OpenAI alone has.
    """
    functions: list[Function] = []
    own: list[Json] = []
    for place, tool in objects(fields.pop("tools", None), "tools"):
        if "function" in tool:
            functions.append(_function(tool["function"], f"{place}.function", tool))
        elif "custom" in tool:
            raise unfit(f"{place}.custom", "only functions can be called")
        else:
            own.append(tool)
    functions += [_function(entry, place, {}) for place, entry in objects(fields.pop("functions", None), "functions")]
    return functions, own


def _function(entry: Any, place: str, tool: Json) -> Function:
    function = object_of(entry, place)
    parameters = function.get("parameters") or NO_PARAMETERS
    return Function(
        name=text_of(function, "name", place),
        description=function.get("description"),
        parameters=None if parameters == NO_PARAMETERS else object_of(parameters, f"{place}.parameters"),
        strict=bool(function.get("strict")),
        extras={name: value for name, value in tool.items() if name not in ("type", "function")},
    )


def tool_choice(fields: dict[str, Any]) -> Any:
    """What the caller says of calling tools, in the present shape, taken out of the fields; None = nothing.

    Raises:
        UnfitError: it is neither a word nor an object.
    """
    older = fields.pop("function_call", None)
    if isinstance(older, Mapping):
        older = {"type": "function", "function": older}
    choice = fields.pop("tool_choice", older)
    return choice if choice is None or isinstance(choice, str) else object_of(choice, "tool_choice")


def chosen_function(choice: Any) -> str | None:
    """The one function that a tool choice names, if it names one in OpenAI's shape."""
    if isinstance(choice, Mapping) and isinstance(choice.get("function"), Mapping):
        return text_of(choice["function"], "name", "tool_choice.function")
    return None
