"""When asking again is worth it, how long to wait before, and how often in all."""

from __future__ import annotations

from banditroute.errors import (
    ConnectionFailedError,
    CutStreamError,
    OverloadedError,
    ProviderError,
    RateLimitedError,
    ServerFailedError,
    TimedOutError,
)

from .settings import Retrying
from .share import RunningShare

_MOST_DOUBLINGS = 60
_UNAVAILABLE = 503
_LASTING = frozenset({501, 504, 505, 524})  # not implemented; or a gateway has waited long already


def backoff_s(attempt: int, u: float, settings: Retrying, floor_s: float | None = None) -> float:
    """Seconds to wait before a retry: even between 0 and a doubling ceiling (full jitter; Brooker, 2015).

    Args:
        attempt: retries made before this one.
        u: chance, uniform in [0, 1).
        settings: the first ceiling and the last.
        floor_s: what the provider asks to wait (Retry-After); the jitter comes on top, so that clients who were told
            the same do not come back together.
    """
    ceiling_s = min(settings.cap_s, settings.base_s * 2.0 ** min(attempt, _MOST_DOUBLINGS))
    return max(floor_s or 0.0, 0.0) + u * ceiling_s


def may_pass_at_once(error: ProviderError) -> bool:
    """Whether one more try of the same model is worth it before another is tried.

    The provider's own word (x-should-retry) goes first. A time limit that passed has cost enough already, and a rate
    limit holds for the key: another key or model can answer sooner.
    """
    if error.retry is False or isinstance(error, TimedOutError | RateLimitedError):
        return False
    if error.retry or isinstance(error, ConnectionFailedError | CutStreamError):
        return True
    if error.retry_after_s is not None:
        return False
    if isinstance(error, ServerFailedError):
        return error.status not in _LASTING
    return isinstance(error, OverloadedError) and error.status == _UNAVAILABLE


class RetryBudget:
    """Retries as a running share of requests, so that a provider in trouble is not buried under them.

    Never more than `budget_floor + budget_ratio * requests` retries in all.
    """

    __slots__ = ("_share",)

    def __init__(self, settings: Retrying) -> None:
        self._share = RunningShare(settings.budget_ratio, settings.budget_floor)

    def request(self) -> None:
        """Counts a request, which earns its share of a retry."""
        self._share.request()

    def withdraw(self) -> bool:
        """Whether a retry may be made; where it may, it is paid for."""
        return self._share.take()
