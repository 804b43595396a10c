"""What is left of a key's rate limits, as providers' headers tell it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from banditroute.providers.delays import go_duration_s, non_negative, rfc3339

_TOKEN_KINDS = ("tokens", "input-tokens", "output-tokens")
_EARLIEST_EPOCH_S = 1e9  # a larger reset is no duration but an instant
_EARLIEST_EPOCH_MS = 1e12


@dataclass(frozen=True, slots=True)
class RateLimits:
    """What a key may still ask for before its limits are reset.

    Attributes:
        remaining_requests: requests left; None where not said.
        remaining_tokens: tokens left, the scarcest where several kinds are counted; None where not said.
        reset_requests_at: instant at which requests are whole again, seconds since the epoch; None where not said.
        reset_tokens_at: the same of the tokens.
    """

    remaining_requests: int | None = None
    remaining_tokens: int | None = None
    reset_requests_at: float | None = None
    reset_tokens_at: float | None = None


def openai_rate_limits(headers: Mapping[str, str], now: float) -> RateLimits | None:
    """What `x-ratelimit-*` headers say; None where no remainder is given.

    Args:
        headers: looked up without regard to case, or all in lower case.
        now: seconds since the epoch, which resets are counted from.
    """
    requests = headers.get("x-ratelimit-remaining-requests")
    tokens = headers.get("x-ratelimit-remaining-tokens")
    if requests is None and tokens is None:
        return None
    return RateLimits(
        remaining_requests=_count(requests),
        remaining_tokens=_count(tokens),
        reset_requests_at=_reset_at(headers.get("x-ratelimit-reset-requests"), now),
        reset_tokens_at=_reset_at(headers.get("x-ratelimit-reset-tokens"), now),
    )


def anthropic_rate_limits(headers: Mapping[str, str], now: float) -> RateLimits | None:  # noqa: ARG001 - one signature
    """What `anthropic-ratelimit-*` headers say; None where no remainder is given.

    Args:
        headers: looked up without regard to case, or all in lower case.
        now: seconds since the epoch; the resets are instants, so that it plays no part.
    """
    requests = _limit(headers, "requests")
    tokens = min((_limit(headers, kind) for kind in _TOKEN_KINDS), key=_Limit.scarcity)
    if requests.remaining is None and tokens.remaining is None:
        return None
    return RateLimits(requests.remaining, tokens.remaining, requests.reset_at, tokens.reset_at)


class _Limit(NamedTuple):
    remaining: int | None
    reset_at: float | None

    def scarcity(self) -> float:
        return float("inf") if self.remaining is None else self.remaining


def _limit(headers: Mapping[str, str], kind: str) -> _Limit:
    reset = headers.get(f"anthropic-ratelimit-{kind}-reset")
    remaining = _count(headers.get(f"anthropic-ratelimit-{kind}-remaining"))
    return _Limit(remaining, None if reset is None else rfc3339(reset))


def _count(text: str | None) -> int | None:
    number = non_negative(text)
    return None if number is None else int(number)


def _reset_at(text: str | None, now: float) -> float | None:
    if text is None:
        return None
    wait_s = non_negative(text)
    if wait_s is None:
        wait_s = go_duration_s(text)
    if wait_s is None:
        return rfc3339(text)
    if wait_s >= _EARLIEST_EPOCH_S:
        return wait_s / 1000.0 if wait_s >= _EARLIEST_EPOCH_MS else wait_s
    return now + wait_s
