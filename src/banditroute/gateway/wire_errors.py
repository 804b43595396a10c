"""Every error as the refusal that its caller is told, and refusals in the words of OpenAI's protocol."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

from banditroute.errors import (
    BanditrouteError,
    BrokenStreamError,
    BudgetExceededError,
    ContextOverflowError,
    CoolingDownError,
    DeadlineError,
    FeedbackError,
    InputError,
    NoEligibleModelError,
    NotOpenError,
    NotServedError,
    OverloadedError,
    ProviderError,
    RejectedError,
    Remedy,
    StoreError,
    TimedOutError,
    UnansweredError,
    UnfitError,
    UnknownDecisionError,
)
from banditroute.gateway.refusals import DEFECT, Refusal, RefusedError
from banditroute.records import Json

ErrorBody = Callable[[Refusal], Json]
"""Writes a refusal in the words of one protocol."""

StatusOf = Callable[[Refusal], int]
"""The HTTP status under which the clients of one protocol know a refusal."""

_LONG_S = 60.0  # clients that ask again by themselves do so within a minute
_A_WHILE_S = 1.0
_LATER = (429, 503)
_OVERFLOW = "context_length_exceeded"
_OPENAI_TYPES: Mapping[int, str] = {401: "authentication_error", 403: "permission_error", 429: "rate_limit_error"}


def refusal_of(error: BanditrouteError) -> Refusal:
    """What a caller is told of an error; `DEFECT` where it is one that no caller should meet."""
    for kind, told in _TOLD:
        if isinstance(error, kind):
            return told(error)
    return DEFECT


def own_status(refusal: Refusal) -> int:
    """The refusal's own status."""
    return refusal.status


def openai_error(refusal: Refusal) -> Json:
    """A refusal as OpenAI's error body."""
    usual = "server_error" if refusal.status >= 500 else "invalid_request_error"
    kind = _OPENAI_TYPES.get(refusal.status, usual)
    error = {"message": _message(refusal), "type": kind, "param": refusal.field, "code": refusal.code}
    return {"error": error if refusal.decision_id is None else {**error, "decision_id": refusal.decision_id}}


def _message(refusal: Refusal) -> str:
    if refusal.code == _OVERFLOW:  # LiteLLM does not see the code, and looks for these words
        return f"what is asked for is longer than the model's context length: {refusal.problem}"
    return refusal.problem


def error_headers(refusal: Refusal) -> dict[str, str]:
    """Headers that tell a client when to ask again, if at all."""
    headers: dict[str, str] = {}
    if refusal.retry_after_s is not None:
        headers["Retry-After"] = str(max(math.ceil(refusal.retry_after_s), 1))
    if refusal.final:
        headers["x-should-retry"] = "false"
    if refusal.decision_id is not None:
        headers["x-banditroute-decision-id"] = refusal.decision_id
    return headers


def _refused(error: RefusedError) -> Refusal:
    return error.refusal


def _invalid(error: InputError) -> Refusal:
    return Refusal(400, str(error), "invalid_value", error.field)


def _misjudged(error: FeedbackError) -> Refusal:
    return Refusal(422, str(error), "invalid_feedback", error.field)


def _unknown_decision(error: UnknownDecisionError) -> Refusal:
    return Refusal(404, str(error), "decision_not_found", "decision_id")


def _not_served(error: NotServedError) -> Refusal:
    return Refusal(409, str(error), "not_served", "decision_id")


def _not_open(_: NotOpenError) -> Refusal:
    return Refusal(503, "the gateway is shutting down", "shutting_down", retry_after_s=_A_WHILE_S)


def _no_model(error: NoEligibleModelError) -> Refusal:
    too_long = bool(error.reasons) and all("context window" in reason for reason in error.reasons.values())
    return Refusal(400, str(error), _OVERFLOW if too_long else "no_eligible_model", "messages" if too_long else None)


def _over_budget(error: BudgetExceededError) -> Refusal:
    far = error.retry_after_s > _LONG_S
    return Refusal(429, str(error), "budget_exceeded", retry_after_s=error.retry_after_s, final=far)


def _cooling(error: CoolingDownError) -> Refusal:
    return Refusal(429, str(error), "all_models_cooling_down", retry_after_s=error.retry_after_s or _A_WHILE_S)


def _too_late(error: DeadlineError) -> Refusal:
    return Refusal(504, str(error), "deadline_exceeded", final=True, decision_id=error.decision_id)


def _unanswered(error: UnansweredError) -> Refusal:
    failures = tuple(error.failures.values())
    if failures and all(isinstance(each, UnfitError) for each in failures):
        return _unfit(error, failures)
    status, code = _blame(failures)
    retry_after_s = error.retry_after_s or (_A_WHILE_S if status in _LATER else None)
    return Refusal(status, str(error), code, retry_after_s=retry_after_s, decision_id=error.decision_id)


def _unfit(error: UnansweredError, failures: tuple[ProviderError, ...]) -> Refusal:
    """For a request that no provider that may serve it has words for: that is the caller's to mend."""
    too_long = all(isinstance(each, ContextOverflowError) for each in failures)
    problem = str(failures[0]) if len(failures) == 1 else str(error)
    code = _OVERFLOW if too_long else "unsupported_field"
    return Refusal(400, problem, code, "messages" if too_long else None, decision_id=error.decision_id)


def _blame(failures: tuple[ProviderError, ...]) -> tuple[int, str]:
    if failures and all(isinstance(each, OverloadedError) for each in failures):
        return 503, "overloaded"
    if failures and all(each.remedy is Remedy.LATER for each in failures):
        return 429, "rate_limit_exceeded"
    if failures and all(isinstance(each, TimedOutError) for each in failures):
        return 504, "upstream_timeout"
    return 502, "upstream_error"


def _rejected(error: RejectedError) -> Refusal:
    status = error.status if error.status is not None and 400 <= error.status < 500 else 400
    return Refusal(status, error.problem, error.code or "rejected_by_provider")


def _provider(error: ProviderError) -> Refusal:
    return Refusal(502, str(error), "upstream_error")


def _broken(error: BrokenStreamError) -> Refusal:
    return Refusal(502, str(error), "stream_broken", decision_id=error.decision_id)


def _store(_: StoreError) -> Refusal:
    return Refusal(503, "the store cannot be read or written", "store_unavailable", retry_after_s=_A_WHILE_S)


_TOLD: tuple[tuple[type[BanditrouteError], Callable[..., Refusal]], ...] = (
    (RefusedError, _refused),
    (FeedbackError, _misjudged),
    (InputError, _invalid),
    (UnknownDecisionError, _unknown_decision),
    (NotServedError, _not_served),
    (NotOpenError, _not_open),
    (NoEligibleModelError, _no_model),
    (BudgetExceededError, _over_budget),
    (CoolingDownError, _cooling),
    (DeadlineError, _too_late),
    (UnansweredError, _unanswered),
    (RejectedError, _rejected),
    (ProviderError, _provider),
    (BrokenStreamError, _broken),
    (StoreError, _store),
)
"""The first that fits; those that are kinds of another stand before it."""
