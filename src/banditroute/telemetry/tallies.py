"""What was counted since the process began: plain numbers, told apart by task class and model."""

from __future__ import annotations

from collections import Counter
from typing import Literal

from .families import Spread

SECONDS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 40.0, 80.0, 160.0)
"""Bounds of what models take."""

SHORT_SECONDS = (0.0005, 0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.064, 0.25, 1.0)
"""Bounds of what the router itself takes."""

LONG_SECONDS = (1.0, 5.0, 30.0, 120.0, 600.0, 3_600.0, 21_600.0, 86_400.0, 604_800.0)
"""Bounds of how long judgements are waited for."""

MOST_TASKS = 96
"""Task classes told apart: the router learns 64 apart; judges and embeddings have classes of their own."""

Ending = Literal["answered", "cached", "failed"]
OTHER = "other"
"""What names are called that came after there were too many."""


class EdgeTally:
    """What one model did in one task class; dollars are counted in whole 1e-12 parts, so that sums are exact."""

    __slots__ = (
        "cache_write_tokens",
        "cached_tokens",
        "drawn",
        "endings",
        "fallback",
        "input_tokens",
        "judged",
        "output_tokens",
        "picos",
        "pinned",
        "quality",
        "reasoning_tokens",
    )

    def __init__(self) -> None:
        self.drawn = self.pinned = self.fallback = 0
        self.endings: dict[Ending, int] = {"answered": 0, "cached": 0, "failed": 0}
        self.picos = 0
        self.input_tokens = self.output_tokens = 0
        self.cached_tokens = self.cache_write_tokens = self.reasoning_tokens = 0
        self.judged = 0
        self.quality = 0.0


class ModelTally:
    """How long one model took, and how its calls ended; by the name of the failure, empty where they did not fail."""

    __slots__ = ("calls", "hedges", "latency", "probes", "retries", "ttft")

    def __init__(self) -> None:
        self.calls: Counter[str] = Counter()
        self.hedges = self.probes = self.retries = 0
        self.latency = Spread(SECONDS)
        self.ttft = Spread(SECONDS)


class TaskTally:
    """What was tried in one task class, what that gave up by what was believed, and how much of it was judged."""

    __slots__ = ("answers", "explored", "judged", "regret", "valued")

    def __init__(self) -> None:
        self.explored = 0.0
        self.regret = 0.0
        self.valued = 0  # decisions of which it is known what they gave up
        self.answers = self.judged = 0


class TenantTally:
    """What one tenant's requests came to."""

    __slots__ = ("picos", "requests")

    def __init__(self) -> None:
        self.picos = self.requests = 0


class Names:
    """Names as they are exported: the first so many as they are, the others as one.

    Args:
        most: how many.
    """

    __slots__ = ("_known", "_most")

    def __init__(self, most: int) -> None:
        self._known: set[str] = set()
        self._most = most

    def __call__(self, name: str) -> str:
        """The name to export."""
        if name not in self._known:
            if len(self._known) >= self._most:
                return OTHER
            self._known.add(name)
        return name
