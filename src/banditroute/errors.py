"""Every error that banditroute raises, grouped by what the caller can do about it.

BanditrouteError
├── InputError (ValueError)        mend the input: a file's line and field, or an argument
│   ├── TableError                 an outcome table
│   ├── ConfigError                a configuration file
│   ├── PriceError                 a model's price is unknown or absurd
│   ├── InvalidRequestError        a chat request: messages, roles, parameters
│   └── FeedbackError              a judgement that is out of range
├── UnknownDecisionError           the store knows no such decision (any more)
├── NotServedError                 the decision has no answer that could be judged (yet)
├── NotOpenError                   use the router inside `async with`
├── MissingExtraError              install the named extra
├── RequestError                   change this one request, or when it comes
│   ├── NoEligibleModelError       no model may serve it; the reason for each is kept
│   └── BudgetExceededError        a cap is reached; says when it is lifted
│       └── LeaseExceededError     other processes may be spending what is left of it; try again
├── UnansweredError                every attempt failed; each is kept, and how long to wait
│   ├── CoolingDownError           no attempt was made: all that may serve are cooling down
│   └── DeadlineError              the request's time was up
├── ProviderError                  one attempt at one provider failed; `remedy` says what may help
│   ├── ConnectionFailedError      elsewhere: refused, reset, unresolved, TLS
│   ├── TimedOutError              elsewhere: one of the provider's time limits passed
│   ├── ServerFailedError          elsewhere: 5xx, an error event in a stream
│   ├── BrokenReplyError           elsewhere: a reply that is not what the protocol says
│   │   └── BrokenEmbeddingsError  elsewhere: the same of embeddings
│   ├── CutStreamError             elsewhere: a stream ended before its end
│   ├── RateLimitedError           later: 429
│   ├── OverloadedError            later: 503, 529
│   ├── KeyRefusedError            elsewhere, and mend the key: 401, 403
│   ├── QuotaSpentError            elsewhere, and pay: 402, insufficient_quota
│   ├── UnfitError                 ineligible: this model cannot serve this request
│   │   └── ContextOverflowError   ineligible: longer than the model's window
│   └── RejectedError              never: every provider would refuse the request
├── UngradableError                a grader that was asked about an answer cannot tell
├── BrokenStreamError              a stream failed after its first content; what arrived is kept
├── WorkersLostError               processes or hosts that shared a sweep's work ended again and again
└── StoreError                     the store cannot be read or written
"""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import ClassVar


def meant(given: str, known: Sequence[str]) -> str:
    """The beginning of a remedy for a name that is not known: the nearest that is, if any is near; else empty."""
    near = get_close_matches(given, known, n=1)
    return f"did you mean {near[0]!r}? " if near else ""


class BanditrouteError(Exception):
    """The root: catching it catches everything the library raises on purpose."""


class InputError(BanditrouteError, ValueError):
    """Input that cannot be used: says what is wrong, where, and what to do, in one line.

    Attributes:
        problem: what is wrong.
        remedy: what to do; may be empty.
        path: the file, when the input is one.
        line: its line, counted from 1, when known.
        field: the field, key or argument, when known.
    """

    def __init__(
        self,
        problem: str,
        *,
        remedy: str = "",
        path: str | None = None,
        line: int | None = None,
        field: str | None = None,
    ) -> None:
        self.problem = problem
        self.remedy = remedy
        self.path = path
        self.line = line
        self.field = field
        super().__init__(str(self))

    def __str__(self) -> str:
        where = self.path if self.line is None else f"{self.path}:{self.line}"
        places = [part for part in (where, self.field) if part]
        text = ": ".join([*places, self.problem])
        return f"{text}; {self.remedy}" if self.remedy else text


class TableError(InputError):
    """An outcome table that cannot be read."""


class ConfigError(InputError):
    """A configuration file that cannot be used."""


class PriceError(InputError):
    """A model's price is unknown or cannot be right."""


class InvalidRequestError(InputError):
    """A chat request that no model could be asked: messages, roles or parameters are wrong."""


class FeedbackError(InputError):
    """A judgement that cannot be taken: out of range, or not a number."""


class UnknownDecisionError(BanditrouteError, LookupError):
    """The store knows no decision of that id, or request or session of that name: it never was, or is kept no more."""

    def __init__(self, decision_id: str, what: str = "decision") -> None:
        super().__init__(f"no {what} {decision_id!r} is on record; it never was, or its retention is over")
        self.decision_id = decision_id


class NotServedError(BanditrouteError):
    """The decision has no answer that could be judged."""

    def __init__(self, decision_id: str, why: str) -> None:
        super().__init__(f"decision {decision_id!r} cannot be judged: {why}")
        self.decision_id = decision_id


class NotOpenError(BanditrouteError):
    """The router is not open: not yet, or no more."""


class MissingExtraError(BanditrouteError, ImportError):
    """An optional dependency is absent: names what needs it and the extra to install."""

    def __init__(self, needed_for: str, extra: str) -> None:
        super().__init__(f"{needed_for} needs the '{extra}' extra; run: pip install 'banditroute[{extra}]'")
        self.needed_for = needed_for
        self.extra = extra

    def __reduce__(self) -> tuple[type[MissingExtraError], tuple[str, str]]:
        return type(self), (self.needed_for, self.extra)  # as it was made: it may be raised in another process


class RequestError(BanditrouteError):
    """One request cannot be served as it stands."""


class NoEligibleModelError(RequestError):
    """No model may serve the request.

    Attributes:
        reasons: for each model, why not.
    """

    def __init__(self, reasons: Mapping[str, str]) -> None:
        self.reasons = dict(reasons)
        detail = "; ".join(f"{model}: {reason}" for model, reason in self.reasons.items()) or "the catalog is empty"
        super().__init__(f"no eligible model ({detail})")


class BudgetExceededError(RequestError):
    """A cap is reached and no eligible model is free.

    Attributes:
        budget: the cap's name.
        cap_usd: what it allows in its window.
        spent_usd: what is spent of it; reserved_usd: what requests in flight hold.
        retry_after_s: seconds until its window ends.
    """

    def __init__(
        self, budget: str, *, cap_usd: float, spent_usd: float, reserved_usd: float, retry_after_s: float
    ) -> None:
        self.budget = budget
        self.cap_usd = cap_usd
        self.spent_usd = spent_usd
        self.reserved_usd = reserved_usd
        self.retry_after_s = retry_after_s
        super().__init__(
            f"budget {budget!r} is exhausted: ${spent_usd:.6g} of ${cap_usd:.6g} spent, ${reserved_usd:.6g} reserved "
            f"by requests in flight; its window ends in {retry_after_s:.0f} s"
        )


class LeaseExceededError(BudgetExceededError):
    """A cap has dollars left, but other processes may be spending them: this one has to ask for them first."""


class Remedy(enum.Enum):
    """What may help after a failed attempt."""

    ELSEWHERE = "elsewhere"
    LATER = "later"
    INELIGIBLE = "ineligible"
    NEVER = "never"


class ProviderError(BanditrouteError):
    """One attempt at one provider failed.

    Attributes:
        problem: what the provider said or did, in one line, without secrets.
        status: the HTTP status, where there was one.
        code: the provider's own word for it, where it gave one.
        retry_after_s: seconds that the provider asks to wait, where it does.
        retry: what the provider says of retrying (x-should-retry); None = nothing.
    """

    remedy: ClassVar[Remedy] = Remedy.ELSEWHERE
    needs_mending: ClassVar[bool] = False
    """Somebody has to act before the same call can succeed."""

    def __init__(
        self,
        problem: str,
        *,
        status: int | None = None,
        code: str | None = None,
        retry_after_s: float | None = None,
        retry: bool | None = None,
    ) -> None:
        self.problem = problem
        self.status = status
        self.code = code
        self.retry_after_s = retry_after_s
        self.retry = retry
        super().__init__(problem if status is None else f"HTTP {status}: {problem}")


class ConnectionFailedError(ProviderError):
    """The provider could not be reached, or the connection broke before the reply was whole."""


class TimedOutError(ProviderError):
    """The provider took longer than one of its time limits.

    Attributes:
        phase: which limit: connect, whole, first_token, between_chunks or total; deadline and queue are the caller's.
        waited_s: how long was waited.
    """

    def __init__(self, phase: str, waited_s: float) -> None:
        super().__init__(f"timed out after {waited_s:.3g} s ({phase})")
        self.phase = phase
        self.waited_s = waited_s


class ServerFailedError(ProviderError):
    """The provider reports a failure of its own."""


class BrokenReplyError(ProviderError):
    """The reply is not what the protocol says: garbage, a wrong shape, an empty answer."""


class BrokenEmbeddingsError(BrokenReplyError):
    """The reply to what was to be embedded holds no embeddings: that says nothing of how the model chats."""


class CutStreamError(ProviderError):
    """The stream ended before the protocol's end."""


class RateLimitedError(ProviderError):
    """The key asked too often or for too much; it may ask again later."""

    remedy = Remedy.LATER


class OverloadedError(ProviderError):
    """The provider has too much to do."""

    remedy = Remedy.LATER


class KeyRefusedError(ProviderError):
    """The key is missing, wrong, or may not do this."""

    needs_mending = True


class QuotaSpentError(ProviderError):
    """The account behind the key has no money left."""

    needs_mending = True


class UnfitError(ProviderError):
    """This model cannot serve this request; another may."""

    remedy = Remedy.INELIGIBLE


class ContextOverflowError(UnfitError):
    """The prompt is longer than the model's context window."""


class RejectedError(ProviderError):
    """The request itself is refused: asking again, here or elsewhere, changes nothing."""

    remedy = Remedy.NEVER


class UnansweredError(BanditrouteError):
    """Every attempt to answer a request failed.

    Attributes:
        decision_id: the decision that could not be served, where one was made.
        causes: for each model that was tried or is cooling down, why it did not answer; the last failure of each.
        failures: the same as errors, of the models that were tried.
        retry_after_s: seconds after which trying again is worth it, where that is known.
    """

    def __init__(
        self,
        causes: Mapping[str, str],
        *,
        decision_id: str | None = None,
        retry_after_s: float | None = None,
        failures: Mapping[str, ProviderError] | None = None,
    ) -> None:
        self.causes = dict(causes)
        self.failures = dict(failures or {})
        self.decision_id = decision_id
        self.retry_after_s = retry_after_s
        detail = "; ".join(f"{model}: {cause}" for model, cause in self.causes.items())
        super().__init__(f"{self._summary} ({detail})" if detail else self._summary)

    _summary: ClassVar[str] = "no model answered"


class CoolingDownError(UnansweredError):
    """No attempt was made: every model that may serve the request is cooling down."""

    _summary = "every model that may serve the request is cooling down"


class DeadlineError(UnansweredError):
    """The request's time was up before a model answered."""

    _summary = "the request's time was up before a model answered"


class UngradableError(BanditrouteError):
    """A grader that was asked about an answer cannot tell; says why in one line. It never becomes a quality."""


class BrokenStreamError(BanditrouteError):
    """A stream failed after its first content had gone to the caller.

    Attributes:
        decision_id: the decision that was being served.
        text: what had arrived.
        cause: why it broke.
    """

    def __init__(self, decision_id: str, text: str, cause: ProviderError) -> None:
        super().__init__(f"the stream of decision {decision_id!r} broke after {len(text)} characters: {cause}")
        self.decision_id = decision_id
        self.text = text
        self.cause = cause


class WorkersLostError(BanditrouteError):
    """A share of a sweep's work was begun several times, and whoever did it ended first."""

    def __init__(self, why: str) -> None:
        super().__init__(f"a share of the work could not be done: {why}; try fewer --jobs, or look for what ends them")
        self.why = why

    def __reduce__(self) -> tuple[type[WorkersLostError], tuple[str]]:
        return type(self), (self.why,)


class StoreError(BanditrouteError):
    """The store cannot be read or written."""
