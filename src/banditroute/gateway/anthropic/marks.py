"""What the gateway writes into answers for itself, and takes out again before a model sees it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from banditroute.records import Json

UNSIGNED = "banditroute:unsigned"
"""The signature of reasoning that another provider than Anthropic showed: for the caller to read, for no model."""

EXTRA = "extra_content"
"""Where a call of a tool keeps what its model wants back: the field's name is that of Google's OpenAI endpoint."""

_NOT_IN_IDS = re.compile(r"[^a-zA-Z0-9_-]")


def tool_id(given: str, decision_id: str, place: int) -> str:
    """A call's id as Anthropic allows it, for a later turn may go there; one of our own where a server gave none."""
    return _NOT_IN_IDS.sub("_", given) or f"toolu_{decision_id}_{place}"


def is_unsigned(block: Json) -> bool:
    """Whether a block is reasoning that no model wants back: Anthropic takes its own, which is signed."""
    return block.get("type") == "thinking" and block.get("signature") in (None, "", UNSIGNED)


def unmarked(turns: Sequence[Json]) -> list[Json]:
    """The turns as Anthropic takes them: without what the gateway wrote into them."""
    return list(_unmarked(turns))


def _unmarked(turns: Sequence[Json]) -> Iterator[Json]:
    for turn in turns:
        content = turn.get("content")
        if turn.get("role") != "assistant" or not isinstance(content, list):
            yield turn
            continue
        blocks: list[Any] = [_block(block) for block in content if not _is_ours(block)]
        if blocks or not content:
            yield {**turn, "content": blocks}


def _is_ours(block: Any) -> bool:
    return isinstance(block, dict) and is_unsigned(block)


def _block(block: Any) -> Any:
    if isinstance(block, dict) and EXTRA in block:
        return {name: value for name, value in block.items() if name != EXTRA}
    return block
