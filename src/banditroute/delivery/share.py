"""A running share of the traffic: extra calls are allowed in proportion to the requests that come."""

from __future__ import annotations

_MEMORY_REQUESTS = 1000


class RunningShare:
    """Allows at most `floor + share * requests` extra calls, ever; what is not used is forfeited in time.

    Without the forfeit a long quiet stretch would save up allowance for a storm, which is what a share is to prevent:
    no more is carried over than the floor and the share of the last thousand requests.

    Args:
        share: extra calls allowed per request.
        floor: extra calls allowed before any request came.
    """

    __slots__ = ("_allowed", "_most_unused", "_requests", "_share", "_used")

    def __init__(self, share: float, floor: float = 0.0) -> None:
        self._share = share
        self._allowed = floor  # less what was forfeited
        self._most_unused = floor + share * _MEMORY_REQUESTS
        self._requests = 0
        self._used = 0

    @property
    def available(self) -> bool:
        """Whether one more extra call is allowed now."""
        return self._unused >= 1.0

    def request(self) -> None:
        """Counts a request."""
        self._requests += 1
        excess = self._unused - self._most_unused
        if excess > 0.0:
            self._allowed -= excess

    def take(self) -> bool:
        """Whether one more extra call is allowed; where it is, it counts as made."""
        if not self.available:
            return False
        self._used += 1
        return True

    @property
    def _unused(self) -> float:
        return self._allowed + self._share * self._requests - self._used
