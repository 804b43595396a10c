"""Every error of the library has a status, a code and words that are the caller's to read."""

import pytest

from banditroute import errors
from banditroute.errors import (
    BanditrouteError,
    BudgetExceededError,
    ContextOverflowError,
    CoolingDownError,
    DeadlineError,
    InvalidRequestError,
    NoEligibleModelError,
    OverloadedError,
    RateLimitedError,
    RejectedError,
    ServerFailedError,
    StoreError,
    TimedOutError,
    UnansweredError,
    UnfitError,
)
from banditroute.gateway.wire_errors import error_headers, openai_error, refusal_of

UNFIT, LONG = UnfitError("logprobs: no such option"), ContextOverflowError("too long", status=400)
LATER, BROKEN = RateLimitedError("slow down", status=429), ServerFailedError("oops", status=500)


def unanswered(*failures):
    causes = {f"m{n}": error for n, error in enumerate(failures)}
    return UnansweredError({name: str(error) for name, error in causes.items()}, failures=causes, decision_id="D")


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (InvalidRequestError("bad", field="messages"), 400, "invalid_value"),
        (unanswered(UNFIT), 400, "unsupported_field"),
        (unanswered(UNFIT, LONG), 400, "unsupported_field"),
        (unanswered(LONG, LONG), 400, "context_length_exceeded"),
        (unanswered(UNFIT, BROKEN), 502, "upstream_error"),
        (unanswered(LATER, OverloadedError("busy", status=503)), 429, "rate_limit_exceeded"),
        (unanswered(LATER, BROKEN), 502, "upstream_error"),
        (unanswered(TimedOutError("whole", 3.0)), 504, "upstream_timeout"),
        (unanswered(), 502, "upstream_error"),
        (CoolingDownError({"m": "cooling"}, retry_after_s=7.2), 429, "all_models_cooling_down"),
        (DeadlineError({}), 504, "deadline_exceeded"),
        (RejectedError("no", status=422, code="odd"), 422, "odd"),
        (RejectedError("no", status=200), 400, "rejected_by_provider"),
        (NoEligibleModelError({"m": "does not stream"}), 400, "no_eligible_model"),
        (
            NoEligibleModelError({"m": "a prompt of 9 tokens leaves no room in its context window of 8"}),
            400,
            "context_length_exceeded",
        ),
        (StoreError("/home/me/store.db: disk full"), 503, "store_unavailable"),
    ],
)
def test_status_and_code(error, status, code):
    refusal = refusal_of(error)
    assert (refusal.status, refusal.code) == (status, code)
    assert openai_error(refusal)["error"]["code"] == code


def test_where_a_file_is_is_nobodys_business():
    assert "/home" not in refusal_of(StoreError("/home/me/store.db: disk full")).problem


def test_every_error_of_the_library_is_told_as_something_but_a_defect():
    kinds = [each for each in vars(errors).values() if isinstance(each, type) and issubclass(each, BanditrouteError)]
    fit = [kind for kind in kinds if kind.__init__ in (Exception.__init__, errors.InputError.__init__)]
    for kind in (
        *fit,
        *(each for each in kinds if issubclass(each, errors.ProviderError) and each is not TimedOutError),
    ):
        if kind not in (BanditrouteError, errors.RequestError, errors.UngradableError):
            assert refusal_of(kind("x")).status != 500, kind


def test_when_to_come_back_is_whole_seconds_and_a_far_day_is_final():
    near = BudgetExceededError("b", cap_usd=1, spent_usd=1, reserved_usd=0, retry_after_s=2.1)
    far = BudgetExceededError("b", cap_usd=1, spent_usd=1, reserved_usd=0, retry_after_s=86_400.0)
    assert error_headers(refusal_of(near)) == {"Retry-After": "3"}
    assert error_headers(refusal_of(far)) == {"Retry-After": "86400", "x-should-retry": "false"}


def test_the_decision_is_named_in_body_and_headers():
    refusal = refusal_of(unanswered(BROKEN))
    assert openai_error(refusal)["error"]["decision_id"] == "D"
    assert error_headers(refusal)["x-banditroute-decision-id"] == "D"
