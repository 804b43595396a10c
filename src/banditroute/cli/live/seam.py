"""What the demo needs of a router."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from banditroute.records import Answer


class Chats(Protocol):
    """Answers requests and takes judgements."""

    async def chat(self, messages: str, *, task: str | None = None, features: Sequence[float] | None = None) -> Answer:
        """The answer of the model that is worth its money."""
        ...

    async def feedback(self, decision_id: str, *, quality: float) -> object:
        """Takes how good an answer was, in [0, 1]."""
        ...
