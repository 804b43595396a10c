"""What the router tells of itself while it works: frozen events, and the seam that takes them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from banditroute.records import Attempt, Decision, Feedback, Outcome


@dataclass(frozen=True, slots=True)
class Decided:
    """A decision was made; `fallback_from` names the models that had failed before, if any."""

    decision: Decision
    fallback_from: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Attempted:
    """A call ended, one way or the other."""

    decision_id: str
    attempt: Attempt


@dataclass(frozen=True, slots=True)
class Settled:
    """A decision was served, or could not be."""

    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Judged:
    """Feedback was applied."""

    feedback: Feedback


@dataclass(frozen=True, slots=True)
class NotGraded:
    """A grader that was asked about an answer has no quality to give: why, in one line."""

    decision_id: str
    grader: str
    problem: str


@dataclass(frozen=True, slots=True)
class BreakerChanged:
    """A model's circuit changed: closed, open or half-open."""

    model: str
    state: str
    reason: str


@dataclass(frozen=True, slots=True)
class KeyChanged:
    """A provider's key is out of use until an instant (None: until the process ends), or back in use (reason empty)."""

    provider: str
    key: str
    reason: str
    until: float | None = None


@dataclass(frozen=True, slots=True)
class BudgetExhausted:
    """A cap turned a request down, or made it take the cheapest model."""

    budget: str
    decision_id: str
    rejected: bool


@dataclass(frozen=True, slots=True)
class StoreFailed:
    """Something could not be written; the router goes on."""

    doing: str
    problem: str


@dataclass(frozen=True, slots=True)
class ShadowFailed:
    """A shadow could not decide or learn: why, in one line. Whatever is served is served without it."""

    shadow: str
    doing: str
    problem: str


Event = (
    Decided
    | Attempted
    | Settled
    | Judged
    | NotGraded
    | BreakerChanged
    | KeyChanged
    | BudgetExhausted
    | StoreFailed
    | ShadowFailed
)


class Observer(Protocol):
    """Takes events; must return at once and not raise."""

    def notify(self, event: Event) -> None:
        """Takes one event."""
        ...


class NullObserver:
    """Looks away."""

    def notify(self, event: Event) -> None:
        """Does nothing."""
