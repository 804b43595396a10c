"""A chat request in OpenAI's shape, as the body of Gemini's generateContent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from banditroute.providers.canonical_request import (
    LABELS,
    Function,
    asked,
    asks_for_json,
    chosen_function,
    json_schema,
    split_tools,
    stop_texts,
    token_limit,
    tool_choice,
)
from banditroute.providers.checked import object_of, object_or_none, objects, unfit
from banditroute.providers.gemini_contents import conversation
from banditroute.records import ChatRequest, Json

_CONFIG: Mapping[str, str] = {
    "temperature": "temperature",
    "top_p": "topP",
    "top_k": "topK",
    "seed": "seed",
    "n": "candidateCount",
    "presence_penalty": "presencePenalty",
    "frequency_penalty": "frequencyPenalty",
}
_MODES: Mapping[str, str] = {"auto": "AUTO", "none": "NONE", "required": "ANY"}
_LEVELS = frozenset({"minimal", "low", "medium", "high"})
_BUDGETS: Mapping[str, int] = {"none": 0, "minimal": 1024, "low": 1024, "medium": 8192, "high": 24576}
"""Thinking tokens for each effort, as Google's own OpenAI-compatible endpoint has them for the 2.5 models."""


def generate_body(request: ChatRequest, *, model: str) -> dict[str, Any]:
    """The body that asks Gemini; fields that OpenAI does not know pass through, generationConfig's over ours.

    Raises:
        UnfitError: the request asks for what Gemini has no way to do; the field is named.
    """
    fields = asked(request.params, unsupported=(), provider="Gemini")
    said = conversation(request.messages, signed=not _older(model))
    body: dict[str, Any] = {"contents": said.turns}
    _put_system(body, fields, said.system)
    _put_tools(body, fields)
    _put_tier(fields)
    config = {**_config(fields), **_format(fields), **_thinking(fields, model)}
    config.update(object_or_none(fields.pop("generationConfig", None), "generationConfig"))
    if config:
        body["generationConfig"] = config
    body.update((name, value) for name, value in fields.items() if name not in LABELS)
    return body


def _older(model: str) -> bool:
    """Whether a model is of a generation that counts its thinking in tokens and does not insist on signatures."""
    name = model.rpartition("/")[2]
    return name.startswith(("gemini-1", "gemini-2", "gemma", "learnlm"))


def _put_system(body: dict[str, Any], fields: dict[str, Any], parts: list[Json]) -> None:
    own = object_or_none(fields.pop("systemInstruction", None), "systemInstruction")
    system = [*(part for _, part in objects(own.get("parts"), "systemInstruction.parts")), *parts]
    if system:
        body["systemInstruction"] = {"parts": system}


def _put_tools(body: dict[str, Any], fields: dict[str, Any]) -> None:
    functions, own = split_tools(fields)
    if not fields.pop("parallel_tool_calls", True) and functions:
        raise unfit("parallel_tool_calls", "Gemini cannot be kept from making several calls at once")
    tools = list(own)
    if functions:
        tools.insert(0, {"functionDeclarations": [_declaration(function) for function in functions]})
    if tools:
        body["tools"] = tools
    calling = _calling(tool_choice(fields), strict=any(function.strict for function in functions))
    own_config = object_or_none(fields.pop("toolConfig", None), "toolConfig")
    config = {**({"functionCallingConfig": calling} if calling else {}), **own_config}
    if config:
        body["toolConfig"] = config


def _declaration(function: Function) -> Json:
    declaration: dict[str, Any] = {"name": function.name}
    if function.parameters is not None:
        declaration["parametersJsonSchema"] = function.parameters
    if function.description:
        declaration["description"] = function.description
    return declaration


def _calling(choice: Any, *, strict: bool) -> Json | None:
    """How functions may be called; VALIDATED is AUTO with arguments that are held to their schema."""
    free = "VALIDATED" if strict else "AUTO"
    if choice is None:
        return {"mode": free} if strict else None
    if isinstance(choice, str):
        if choice not in _MODES:
            raise unfit("tool_choice", f"{choice!r} is not known")
        return {"mode": free if choice == "auto" else _MODES[choice]}
    name = chosen_function(choice)
    if name is not None:
        return {"mode": "ANY", "allowedFunctionNames": [name]}
    kind = choice.get("type")
    if kind != "allowed_tools":
        raise unfit("tool_choice", f"{kind!r} is not among Gemini's choices")
    allowed = object_of(choice.get("allowed_tools"), "tool_choice.allowed_tools")
    names = [chosen_function(tool) for _, tool in objects(allowed.get("tools"), "tool_choice.allowed_tools.tools")]
    return {"mode": "ANY" if allowed.get("mode") == "required" else "VALIDATED", "allowedFunctionNames": names}


def _put_tier(fields: dict[str, Any]) -> None:
    tier = fields.pop("service_tier", "auto")
    if tier not in ("auto", "default"):
        raise unfit("service_tier", f"{tier!r} is not among Gemini's tiers")


def _config(fields: dict[str, Any]) -> dict[str, Any]:
    config = {theirs: fields.pop(ours) for ours, theirs in _CONFIG.items() if ours in fields}
    limit = token_limit(fields)
    if limit is not None:
        config["maxOutputTokens"] = limit
    stop = stop_texts(fields)
    if stop:
        config["stopSequences"] = stop
    return config


def _format(fields: dict[str, Any]) -> dict[str, Any]:
    response_format = fields.pop("response_format", None)
    if not asks_for_json(response_format):
        return {}
    schema = json_schema(response_format)
    config: dict[str, Any] = {"responseMimeType": "application/json"}
    if schema is not None:
        config["responseJsonSchema"] = schema
    return config


def _thinking(fields: dict[str, Any], model: str) -> dict[str, Any]:
    effort = fields.pop("reasoning_effort", None)
    if effort is None:
        return {}
    if not isinstance(effort, str):
        raise unfit("reasoning_effort", "a word is needed")
    if _older(model) and effort in _BUDGETS:
        return {"thinkingConfig": {"thinkingBudget": _BUDGETS[effort]}}
    if not _older(model) and effort in _LEVELS:
        return {"thinkingConfig": {"thinkingLevel": effort}}
    raise unfit("reasoning_effort", f"{effort!r} is not among this model's efforts")
