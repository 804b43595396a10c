"""Which model a conversation is with, and what leaving it would lose: its provider's prompt cache."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

_LEAST_CACHED_TOKENS = 1024  # providers cache no shorter prompts


@dataclass(frozen=True, slots=True)
class Stay:
    """A reason to stay with a model.

    Attributes:
        model: the one that the conversation is with.
        cached_tokens: tokens of the prompt that its provider is taken to have in its cache.
        quality: quality points that leaving it must be worth beside the cache.
    """

    model: str
    cached_tokens: int
    quality: float


class Sessions:
    """Remembers the last model of each conversation for as long as providers keep a prompt cached.

    Args:
        ttl_s: how long after its last answer a conversation is remembered.
        stay_quality: quality points that leaving its model must be worth.
        most: how many conversations are remembered; the longest silent go first.
    """

    def __init__(self, ttl_s: float = 300.0, stay_quality: float = 0.01, most: int = 10_000) -> None:
        self._ttl_s = ttl_s
        self._stay_quality = stay_quality
        self._most = most
        self._last: OrderedDict[str, tuple[str, int, float]] = OrderedDict()

    def follow(self, ttl_s: float, stay_quality: float) -> None:
        """Remembers and stays by other settings from now on."""
        self._ttl_s = ttl_s
        self._stay_quality = stay_quality

    def inherit(self, before: Sessions) -> None:
        """Remembers what another one remembered."""
        self._last.update(before._last)

    def stay(self, session_id: str, now: float) -> Stay | None:
        """Why to stay, if the conversation is known and recent."""
        last = self._last.get(session_id)
        if last is None:
            return None
        model, prompt_tokens, at = last
        if now - at > self._ttl_s:
            del self._last[session_id]
            return None
        cached = prompt_tokens if prompt_tokens >= _LEAST_CACHED_TOKENS else 0
        return Stay(model, cached, self._stay_quality)

    def answered(self, session_id: str, model: str, prompt_tokens: int, now: float) -> None:
        """Takes note of who answered."""
        self._last[session_id] = (model, prompt_tokens, now)
        self._last.move_to_end(session_id)
        if len(self._last) > self._most:
            self._last.popitem(last=False)
