"""What Gemini's errors mean to the caller, whether they come with a status or inside a stream."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

from banditroute.errors import (
    ContextOverflowError,
    KeyRefusedError,
    OverloadedError,
    ProviderError,
    QuotaSpentError,
    RateLimitedError,
    RejectedError,
    ServerFailedError,
    UnfitError,
)
from banditroute.providers.delays import go_duration_s, retry_after_s, should_retry
from banditroute.providers.error_bodies import error_in, problem
from banditroute.providers.protocol import WireReply
from banditroute.providers.reading import listing, mapping, word
from banditroute.records import Json

_BY_STATUS: Mapping[int, type[ProviderError]] = {
    401: KeyRefusedError,
    402: QuotaSpentError,
    403: KeyRefusedError,
    404: UnfitError,
    408: ServerFailedError,
    409: ServerFailedError,
    413: ContextOverflowError,
    429: RateLimitedError,
    499: ServerFailedError,
    503: OverloadedError,
}

_BY_WORDS: tuple[tuple[str, type[ProviderError]], ...] = (
    ("api key not valid", KeyRefusedError),
    ("api key expired", KeyRefusedError),
    ("user location", KeyRefusedError),
    ("billing", KeyRefusedError),
    ("token count", ContextOverflowError),
    ("maximum number of tokens", ContextOverflowError),
    ("not supported", UnfitError),
    ("does not support", UnfitError),
    ("is not enabled for", UnfitError),
    ("only works in thinking mode", UnfitError),
    ("cannot fetch content", UnfitError),
    ("unknown name", UnfitError),
)
"""INVALID_ARGUMENT is one word for many things; only its message tells them apart."""

_MONEY = ("credits are depleted", "spending cap", "spend limit")
_DAY_S = 86_400.0
_DAILY_RESET_S = 8 * 3600.0
"""Daily quotas are whole again at midnight Pacific time: 8:00 UTC, or an hour before in summer."""


def failure(reply: WireReply, now: float) -> ProviderError:
    """The error that a reply with a status of 400 or more stands for."""
    return _error(error_in(reply.body), reply.status, reply.headers, now)


def error_object(body: Json) -> ProviderError | None:
    """The error in an object that came with a status of 200; None where it holds none."""
    error = body.get("error")
    if not isinstance(error, Mapping):
        return None
    code = error.get("code")
    return _error(error, code if isinstance(code, int) else 500, {}, None)


def _error(error: Json, status: int, headers: Mapping[str, str], now: float | None) -> ProviderError:
    waits = [] if now is None else [retry_after_s(headers, now)]
    waits.append(_body_delay_s(error, now))
    return _class(error, status)(
        problem(error, status),
        status=status,
        code=word(error.get("status")) or None,
        retry_after_s=max((wait for wait in waits if wait is not None), default=None),
        retry=should_retry(headers),
    )


def _class(error: Json, status: int) -> type[ProviderError]:
    message = word(error.get("message")).lower()
    reasons = [str(detail.get("reason")) for detail in _details(error)]
    if any(reason.startswith("API_KEY_") for reason in reasons):
        return KeyRefusedError
    if status == 429 and any(words in message for words in _MONEY):
        return QuotaSpentError
    if status == 400:
        found = UnfitError if error.get("status") == "FAILED_PRECONDITION" else RejectedError
        return next((meaning for words, meaning in _BY_WORDS if words in message), found)
    return _BY_STATUS.get(status) or (RejectedError if status < 500 else ServerFailedError)


def _body_delay_s(error: Json, now: float | None) -> float | None:
    """Seconds to wait: what RetryInfo says, but until the next day where a daily quota is spent."""
    waits: list[float] = []
    for detail in _details(error):
        delay = detail.get("retryDelay")
        if isinstance(delay, str) and (wait := go_duration_s(delay)) is not None:
            waits.append(wait)
        if now is not None and any("PerDay" in quota for quota in _quotas(detail)):
            waits.append(_until_reset_s(now))
    return max(waits, default=None)


def _quotas(detail: Json) -> Iterator[str]:
    for violation in listing(detail.get("violations")):
        yield word(mapping(violation).get("quotaId"))


def _until_reset_s(now: float) -> float:
    return (math.floor((now - _DAILY_RESET_S) / _DAY_S) + 1) * _DAY_S + _DAILY_RESET_S - now


def _details(error: Json) -> list[Json]:
    return [mapping(detail) for detail in listing(error.get("details"))]
