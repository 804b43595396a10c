"""A share of the time for work that can wait, saved up while there is none."""

from __future__ import annotations


class Allowance:
    """Says how long work has to wait so that it takes no more than its share of the time; no clock here.

    Args:
        share: of the time, in (0, 1).
        saved_s: seconds of work that may be done at once after a quiet while, and at the beginning.
    """

    def __init__(self, share: float, saved_s: float) -> None:
        self._share = share
        self._most_s = self._left_s = saved_s
        self._at: float | None = None

    def wait_s(self, now: float) -> float:
        """Seconds until work may begin; 0 = at once."""
        self._save(now)
        return max(-self._left_s / self._share, 0.0)

    def spent(self, took_s: float, now: float) -> None:
        """Takes note of work that took so long."""
        self._save(now)
        self._left_s -= took_s

    def _save(self, now: float) -> None:
        if self._at is not None:
            self._left_s = min(self._left_s + self._share * max(now - self._at, 0.0), self._most_s)
        self._at = now
