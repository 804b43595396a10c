"""What Anthropic's errors mean to the caller, whether they come with a status or inside a reply of 200."""

from __future__ import annotations

from collections.abc import Mapping

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
from banditroute.providers.delays import retry_after_s, should_retry
from banditroute.providers.error_bodies import error_in, problem
from banditroute.providers.protocol import WireReply
from banditroute.providers.reading import mapping, word
from banditroute.records import Json

_BY_TYPE: Mapping[str, type[ProviderError]] = {
    "invalid_request_error": RejectedError,
    "authentication_error": KeyRefusedError,
    "permission_error": KeyRefusedError,
    "billing_error": QuotaSpentError,
    "not_found_error": UnfitError,
    "request_too_large": ContextOverflowError,
    "rate_limit_error": RateLimitedError,
    "overloaded_error": OverloadedError,
    "api_error": ServerFailedError,
    "timeout_error": ServerFailedError,
}

_BY_STATUS: Mapping[int, type[ProviderError]] = {
    401: KeyRefusedError,
    402: QuotaSpentError,
    403: KeyRefusedError,
    404: UnfitError,
    408: ServerFailedError,
    409: ServerFailedError,
    413: ContextOverflowError,
    429: RateLimitedError,
    503: OverloadedError,
    529: OverloadedError,
}

_BY_WORDS: tuple[tuple[str, type[ProviderError]], ...] = (
    ("prompt is too long", ContextOverflowError),
    ("exceed context limit", ContextOverflowError),
    ("credit balance is too low", QuotaSpentError),
    ("api usage limits", QuotaSpentError),
    ("organization has been disabled", KeyRefusedError),
    ("does not support", UnfitError),
    ("not supported", UnfitError),
    ("for this model", UnfitError),
    ("maximum allowed number of output tokens", UnfitError),
    ("extra inputs are not permitted", UnfitError),
    ("content filtering policy", UnfitError),  # another provider may not share its view
    ("image exceeds", UnfitError),
    ("pdf pages", UnfitError),
)
"""An invalid_request_error is one word for many things; only its message tells them apart."""


def failure(reply: WireReply, now: float) -> ProviderError:
    """The error that a reply with a status of 400 or more stands for."""
    error = error_in(reply.body)
    return _class(error, reply.status)(
        problem(error, reply.status),
        status=reply.status,
        code=word(error.get("type")) or None,
        retry_after_s=retry_after_s(reply.headers, now),
        retry=should_retry(reply.headers),
    )


def error_event(body: Json) -> ProviderError:
    """The error in an event of a stream, or in a reply of 200, whose type is `error`."""
    error = mapping(body.get("error"))
    return _class(error, 500)(problem(error, 500), code=word(error.get("type")) or None)


def _class(error: Json, status: int) -> type[ProviderError]:
    found = _BY_TYPE.get(word(error.get("type"))) or _BY_STATUS.get(status)
    if found is None:
        found = RejectedError if status < 500 else ServerFailedError
    if found is not RejectedError:
        return found
    message = word(error.get("message")).lower()
    return next((meaning for words, meaning in _BY_WORDS if words in message), found)
