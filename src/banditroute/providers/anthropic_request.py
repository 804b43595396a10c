"""A chat request in OpenAI's shape, as the body of Anthropic's Messages API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from banditroute.providers.anthropic_messages import conversation
from banditroute.providers.canonical_request import (
    LABELS,
    NO_PARAMETERS,
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
from banditroute.providers.checked import object_or_none, objects, unfit
from banditroute.records import ChatRequest, Json

_UNSUPPORTED = frozenset({"frequency_penalty", "n", "presence_penalty", "seed"})
_EFFORTS = frozenset({"low", "medium", "high", "xhigh", "max"})
_CHOICES: Mapping[str, Json] = {"auto": {"type": "auto"}, "required": {"type": "any"}, "none": {"type": "none"}}
_TIERS: Mapping[str, str] = {"auto": "auto", "default": "standard_only", "standard_only": "standard_only"}


def messages_body(request: ChatRequest, *, model: str, stream: bool, default_max_tokens: int) -> dict[str, Any]:
    """The body that asks Anthropic; fields that OpenAI does not know pass through untouched.

    Raises:
        UnfitError: the request asks for what Anthropic has no way to do; the field is named.
    """
    fields = asked(request.params, unsupported=_UNSUPPORTED, provider="Anthropic")
    said = conversation(request.messages)
    body: dict[str, Any] = {
        "model": model,
        "max_tokens": token_limit(fields) or default_max_tokens,
        "messages": said.turns,
    }
    if stream:
        body["stream"] = True
    _put_system(body, fields, said.system)
    _put_tools(body, fields)
    _put_sampling(body, fields)
    _put_output(body, fields)
    _put_account(body, fields)
    body.update((name, value) for name, value in fields.items() if name not in LABELS)
    return body


def _put_system(body: dict[str, Any], fields: dict[str, Any], blocks: list[Json]) -> None:
    own = fields.pop("system", None)
    if isinstance(own, str):
        own = [{"type": "text", "text": own}]
    system = [*(block for _, block in objects(own, "system")), *blocks]
    if system:
        body["system"] = system


def _put_tools(body: dict[str, Any], fields: dict[str, Any]) -> None:
    functions, own = split_tools(fields)
    parallel = fields.pop("parallel_tool_calls", True)
    choice = _choice(tool_choice(fields))
    tools = [*map(_tool, functions), *own]
    if tools:
        body["tools"] = tools
        if not parallel and (choice is None or choice.get("type") != "none"):
            choice = {**(choice or _CHOICES["auto"]), "disable_parallel_tool_use": True}
    if choice is not None:
        body["tool_choice"] = choice


def _tool(function: Function) -> Json:
    tool: dict[str, Any] = {"name": function.name, "input_schema": function.parameters or NO_PARAMETERS}
    if function.description:
        tool["description"] = function.description
    if function.strict:
        tool["strict"] = True
    return {**tool, **function.extras}


def _choice(choice: Any) -> Json | None:
    if choice is None:
        return None
    if isinstance(choice, str):
        if choice not in _CHOICES:
            raise unfit("tool_choice", f"{choice!r} is not known")
        return _CHOICES[choice]
    name = chosen_function(choice)
    if name is not None:
        return {"type": "tool", "name": name}
    kind = choice.get("type")
    if kind in ("auto", "any", "tool", "none"):
        return choice
    raise unfit("tool_choice", f"{kind!r} is not among Anthropic's choices")


def _put_sampling(body: dict[str, Any], fields: dict[str, Any]) -> None:
    stop = stop_texts(fields)
    if stop:
        body["stop_sequences"] = stop
    temperature = fields.get("temperature")
    if isinstance(temperature, int | float) and temperature > 1:
        raise unfit("temperature", f"Anthropic allows at most 1, not {temperature}")


def _put_output(body: dict[str, Any], fields: dict[str, Any]) -> None:
    config = dict(object_or_none(fields.pop("output_config", None), "output_config"))
    response_format = fields.pop("response_format", None)
    if asks_for_json(response_format):
        schema = json_schema(response_format)
        if schema is None:
            raise unfit("response_format", "Anthropic has no JSON mode without a schema")
        config.setdefault("format", {"type": "json_schema", "schema": schema})
    effort = fields.pop("reasoning_effort", None)
    if effort == "none":
        body["thinking"] = {"type": "disabled"}
    elif isinstance(effort, str) and effort in _EFFORTS:
        config.setdefault("effort", effort)
    elif effort is not None:
        raise unfit("reasoning_effort", f"{effort!r} is not among Anthropic's efforts")
    if config:
        body["output_config"] = config


def _put_account(body: dict[str, Any], fields: dict[str, Any]) -> None:
    metadata = object_or_none(fields.get("metadata"), "metadata")
    user = metadata.get("user_id") or fields.get("safety_identifier") or fields.get("user")
    if user:
        body["metadata"] = {"user_id": user}
    tier = fields.pop("service_tier", None)
    if tier is None:
        return
    if not isinstance(tier, str) or tier not in _TIERS:
        raise unfit("service_tier", f"{tier!r} is not among Anthropic's tiers")
    body["service_tier"] = _TIERS[tier]
