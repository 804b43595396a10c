"""Refusals in the words of Anthropic's protocol: its error body, and the statuses that its clients know."""

from __future__ import annotations

from collections.abc import Mapping

from banditroute.gateway.refusals import Refusal
from banditroute.records import Json

OVERLOADED = 529
"""Anthropic's own status for who cannot serve at the moment."""

_STATUSES: Mapping[int, int] = {503: OVERLOADED}
_TYPES: Mapping[int, str] = {
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    504: "timeout_error",
    OVERLOADED: "overloaded_error",
}
_TOO_LONG = "context_length_exceeded"


def anthropic_status(refusal: Refusal) -> int:
    """The status under which Anthropic's clients know a refusal."""
    return _STATUSES.get(refusal.status, refusal.status)


def anthropic_error(refusal: Refusal) -> Json:
    """A refusal as Anthropic's error body; `code` and what else is not in the protocol stands beside its own fields."""
    status = anthropic_status(refusal)
    usual = "api_error" if status >= 500 else "invalid_request_error"
    error = {"type": _TYPES.get(status, usual), "message": _message(refusal), "code": refusal.code}
    if refusal.field is not None:
        error["field"] = refusal.field
    if refusal.decision_id is not None:
        error["decision_id"] = refusal.decision_id
    return {"type": "error", "error": error}


def _message(refusal: Refusal) -> str:
    if refusal.code == _TOO_LONG:  # clients that make room by themselves look for these words
        return f"prompt is too long: {refusal.problem}"
    return refusal.problem
