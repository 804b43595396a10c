"""What an attempt that brought no answer says: whether, and when, asking again is worth it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from banditroute import errors
from banditroute.errors import (
    BanditrouteError,
    ContextOverflowError,
    CoolingDownError,
    ProviderError,
    Remedy,
    UnansweredError,
)
from banditroute.observe import Attempted, Event
from banditroute.records import Attempt


@dataclass(frozen=True, slots=True)
class Setback:
    """An attempt that brought no answer.

    Attributes:
        failure: its name; problem: the same in a line.
        remedy: what may help: LATER and ELSEWHERE are worth asking again.
        wait_s: how long to wait before, where that is known.
        cost_usd: what it is taken to have cost.
        fatal: nothing helps before somebody acts.
        own: the request is too much for the model, which speaks against no other request.
    """

    failure: str
    problem: str
    remedy: Remedy
    wait_s: float | None = None
    cost_usd: float = 0.0
    fatal: bool = False
    own: bool = False


class FailedAttempts:
    """Remembers the attempt behind each failed decision; it is the router's observer."""

    def __init__(self) -> None:
        self._attempts: dict[str, Attempt] = {}

    def notify(self, event: Event) -> None:
        """Takes one event."""
        if isinstance(event, Attempted) and event.attempt.failure:
            self._attempts[event.decision_id] = event.attempt

    def of(self, decision_id: str | None) -> Attempt | None:
        """The attempt, once."""
        return None if decision_id is None else self._attempts.pop(decision_id, None)


def setback_of(error: BanditrouteError, attempts: FailedAttempts) -> Setback:
    """What an error of the router's says of an attempt."""
    if isinstance(error, CoolingDownError):
        wait_s = error.retry_after_s
        return Setback("CoolingDownError", str(error), Remedy.LATER, wait_s, fatal=wait_s is None)
    if isinstance(error, UnansweredError) and (attempt := attempts.of(error.decision_id)) is not None:
        kind = _kind(attempt.failure)
        return Setback(
            attempt.failure,
            attempt.problem,
            kind.remedy,
            error.retry_after_s,
            attempt.cost_usd,
            fatal=kind.needs_mending,
            own=kind is ContextOverflowError,
        )
    own = not isinstance(error, ProviderError)
    return Setback(type(error).__name__, str(error), Remedy.NEVER, own=own)


def _kind(failure: str) -> type[ProviderError]:
    """The error's class by its name, behind which a time limit may stand in brackets."""
    return cast("type[ProviderError]", getattr(errors, failure.split(" ")[0], ProviderError))
