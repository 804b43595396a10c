"""Eden AI: OpenAI's protocol with dollars in every reply, and a response cache that must not teach."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from banditroute.providers.openai import OpenAI
from banditroute.providers.reading import amount
from banditroute.records import Json

ASK_METADATA = ("x-edenai-metadata", "enabled")

_CACHE_FLAGS = ("cached", "from_cache", "cache_hit")
_METADATA = "edenai_metadata"


def stated_cost_usd(body: Json) -> float | None:
    """Dollars as the top-level `cost` states them; None where it does not."""
    return amount(body.get("cost"))


def cached(body: Json) -> bool:
    """Whether the response cache wrote a body.

    Nothing says so outright, but a cached reply is free and lacks the metadata that every other one carries when asked
    for it. A reply that costs something is a model's, even where a proxy has taken the metadata out.
    """
    if any(body.get(flag) is True for flag in _CACHE_FLAGS):
        return True
    return stated_cost_usd(body) == 0.0 and _METADATA not in body


@dataclass(frozen=True, slots=True)
class EdenAI(OpenAI):
    """OpenAI's protocol as Eden AI speaks it."""

    extra_headers: tuple[tuple[str, str], ...] = (ASK_METADATA,)
    cost_usd: Callable[[Json], float | None] = stated_cost_usd
    from_cache: Callable[[Json], bool] = cached
