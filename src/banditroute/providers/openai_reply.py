"""Reading what a chat completion says: texts, reasoning, usage, dollars."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from banditroute.errors import BrokenReplyError
from banditroute.providers.reading import amount, count, listing, mapping, word
from banditroute.records import Json, Usage

_CACHE_HEADERS = (
    "x-cache",
    "x-edenai-cache",
    "x-openrouter-cache-status",
    "cf-aig-cache-status",
    "x-portkey-cache-status",
)


def text_of(content: object) -> str:
    """The text of a message's `content`: a text, nothing, or a list of parts of which some are texts.

    Raises:
        BrokenReplyError: it is something else.
    """
    if isinstance(content, str):
        return content
    if content is None:
        return ""
    if not isinstance(content, list):
        raise BrokenReplyError(f"content is a {type(content).__name__}, not a text or a list of parts")
    return "".join(word(part.get("text")) for part in map(mapping, content) if part.get("type") in ("text", None))


def reasoning_of(message: Json) -> str:
    """The reasoning that a message or a delta shows, under whichever name its server knows it."""
    for name in ("reasoning_content", "reasoning"):
        reasoning = message.get(name)
        if isinstance(reasoning, str) and reasoning:
            return reasoning
    content = message.get("content")
    return "".join(map(_thinking, content)) if isinstance(content, list) else ""


def usage_of(usage: object) -> Usage | None:
    """Tokens as billed; None where a server does not say, or says what cannot be.

    Several servers leave hidden reasoning out of `completion_tokens`, but none leaves it out of `total_tokens`: the
    larger of the two is the answer.
    """
    said = mapping(usage)
    prompt = count(said.get("prompt_tokens"))
    if prompt is None:
        return None
    total = count(said.get("total_tokens"))
    completion = count(said.get("completion_tokens"))
    if completion is None and total is None:
        return None
    output = max(completion or 0, (total or 0) - prompt)
    details = mapping(said.get("prompt_tokens_details"))
    reasoning = count(mapping(said.get("completion_tokens_details")).get("reasoning_tokens")) or 0
    return Usage(
        input_tokens=prompt,
        output_tokens=output,
        cached_input_tokens=min(_cached(said, details), prompt),
        cache_write_tokens=min(count(details.get("cache_write_tokens")) or 0, prompt),
        reasoning_tokens=min(reasoning, output),
    )


def usage_cost_usd(body: Json) -> float | None:
    """Dollars as `usage.cost` states them; None where it does not."""
    return amount(mapping(body.get("usage")).get("cost"))


def cached_by_headers(headers: Mapping[str, str]) -> bool:
    """Whether a reply's headers say that a response cache wrote it, and no model."""
    return any(headers.get(name, "").lower().startswith("hit") for name in _CACHE_HEADERS)


def refused(message: Json, finish_reason: str | None) -> bool:
    """Whether the model or a filter declined to answer."""
    return bool(message.get("refusal")) or finish_reason == "content_filter"


def _cached(usage: Json, details: Json) -> int:
    # DeepSeek and Moonshot have names of their own for it.
    found = (details.get("cached_tokens"), usage.get("prompt_cache_hit_tokens"), usage.get("cached_tokens"))
    return next((number for value in found if (number := count(value)) is not None), 0)


def _thinking(part: Any) -> str:
    # Mistral's reasoning models: {"type": "thinking", "thinking": [{"type": "text", "text": ...}]}
    return "".join(word(mapping(piece).get("text")) for piece in listing(mapping(part).get("thinking")))
