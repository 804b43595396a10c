"""An answer as Anthropic's `message`: the provider's own where it wrote one, but for the name of the model."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

import orjson

from banditroute.gateway.anthropic.marks import EXTRA, UNSIGNED, tool_id
from banditroute.providers.openai_reply import reasoning_of
from banditroute.providers.reading import mapping, objects, word
from banditroute.records import Answer, Json, Usage

_STOP_REASONS: Mapping[str, str] = {
    "stop": "end_turn",
    "length": "max_tokens",
    "tool_calls": "tool_use",
    "function_call": "tool_use",
    "content_filter": "refusal",
}
_NOT_JSON = "INVALID_JSON"
"""Under which key Anthropic asks for a tool's input that its model wrote wrongly."""


def message_body(answer: Answer, stops: Collection[str]) -> dict[str, Any]:
    """The answer as a message; `stops` are the texts at which it was to stop."""
    native = answer.completion.native
    if native is not None:
        return {**native, "model": answer.model}
    head = message_head(answer.decision_id, answer.model)
    return {
        **head,
        "content": list(_blocks(answer)),
        **stop_of(answer, stops),
        "usage": usage_of(answer),
    }


def message_head(decision_id: str, model: str) -> dict[str, Any]:
    """What a message says before its content."""
    return {"id": f"msg_{decision_id}", "type": "message", "role": "assistant", "model": model}


def stop_of(answer: Answer, stops: Collection[str]) -> dict[str, Any]:
    """Why the answer ended; which text stopped it is known where the server says so, as vLLM does."""
    stopped_by = word(_choice(answer).get("stop_reason"))
    if stopped_by and stopped_by in stops:
        return {"stop_reason": "stop_sequence", "stop_sequence": stopped_by}
    reason = _STOP_REASONS.get(answer.completion.finish_reason or "", "end_turn")
    if answer.completion.tool_calls and reason == "end_turn":  # several local servers say stop
        reason = "tool_use"
    return {"stop_reason": reason, "stop_sequence": None}


def usage_of(answer: Answer) -> dict[str, Any]:
    """Tokens as Anthropic counts them; those that no provider reported are marked as estimated."""
    usage = answer.usage or Usage(0, 0)
    plain = usage.input_tokens - usage.cached_input_tokens - usage.cache_write_tokens
    body = {
        "input_tokens": max(plain, 0),
        "cache_creation_input_tokens": usage.cache_write_tokens,
        "cache_read_input_tokens": usage.cached_input_tokens,
        "output_tokens": usage.output_tokens,
    }
    return {**body, "estimated": True} if answer.outcome.estimated else body


def _choice(answer: Answer) -> Json:
    choices = objects(answer.completion.body.get("choices"))
    return choices[0] if choices else {}


def _blocks(answer: Answer) -> Iterator[Json]:
    message = mapping(_choice(answer).get("message"))
    if reasoning := reasoning_of(message):
        yield {"type": "thinking", "thinking": reasoning, "signature": UNSIGNED}
    if text := answer.completion.text or word(message.get("refusal")):
        yield {"type": "text", "text": text}
    for place, call in enumerate(answer.completion.tool_calls):
        yield _tool_use(call, answer.decision_id, place)


def _tool_use(call: Json, decision_id: str, place: int) -> Json:
    function = mapping(call.get("function"))
    block = {
        "type": "tool_use",
        "id": tool_id(word(call.get("id")), decision_id, place),
        "name": word(function.get("name")),
        "input": _input(function.get("arguments")),
    }
    return {**block, EXTRA: call[EXTRA]} if call.get(EXTRA) else block


def _input(arguments: Any) -> Json:
    if isinstance(arguments, dict) or not arguments:
        return arguments or {}
    try:
        value = orjson.loads(arguments) if isinstance(arguments, str) else arguments
    except orjson.JSONDecodeError:
        value = None
    return value if isinstance(value, dict) else {_NOT_JSON: arguments}
