"""A clock that stands still until it is told to go on."""

from __future__ import annotations

NOON = 1_767_268_800.0
"""The first of January 2026, 12:00 UTC: as far as can be from where a day's cap begins anew."""


class ManualClock:
    """Seconds since the epoch, the same until somebody moves them on; call it to read it.

    Args:
        at: where it starts.
    """

    def __init__(self, at: float = NOON) -> None:
        self._now = at

    def __call__(self) -> float:
        """What it shows."""
        return self._now

    def advance(self, seconds: float) -> None:
        """Moves it on.

        Raises:
            ValueError: it would go back.
        """
        if seconds < 0:
            raise ValueError(f"a clock does not go back, by {seconds} s")
        self._now += seconds

    def reach(self, at: float) -> None:
        """Moves it on to an instant, unless that is past: what takes its time side by side does not add up."""
        self._now = max(self._now, at)
