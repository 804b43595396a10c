"""What the router tells of itself while it works: frozen events, and the seam that takes them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from banditroute.changes import Changes
from banditroute.errors import BanditrouteError
from banditroute.records import Alarm, Alert, Attempt, Decision, Feedback, Outcome


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
    """A decision was served, or could not be; `recorded`: the store has it for good, or else has failed."""

    outcome: Outcome
    decision: Decision
    recorded: bool = True


@dataclass(frozen=True, slots=True)
class Judged:
    """Feedback was applied; `first`: nobody had judged the decision before."""

    feedback: Feedback
    decision: Decision
    outcome: Outcome
    first: bool = True


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
class PeersChanged:
    """Other processes came to share the store, left it, or were not heard of: names that are new with each start.

    Attributes:
        joined: those that came.
        left: those that are no longer there.
        present: those that are there now, this process not among them.
    """

    joined: tuple[str, ...]
    left: tuple[str, ...]
    present: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class StoreCrowded:
    """Another process writes into the store that this one has for itself: caps are not kept between them."""

    remedy: str


@dataclass(frozen=True, slots=True)
class ClassesChanged:
    """What names some task classes is not what it was when they were learned of: they may mean something else."""

    tasks: tuple[str, ...]
    problem: str


@dataclass(frozen=True, slots=True)
class Drifted:
    """A model was found to be no longer what was learned of it; what was learned has been moved accordingly."""

    alarm: Alarm


@dataclass(frozen=True, slots=True)
class ShadowFailed:
    """A shadow could not decide or learn: why, in one line. Whatever is served is served without it."""

    shadow: str
    doing: str
    problem: str


@dataclass(frozen=True, slots=True)
class Reloaded:
    """Another configuration is in force: what is different."""

    changes: Changes


@dataclass(frozen=True, slots=True)
class ReloadFailed:
    """A configuration could not be put in force: why, in one line. The one before it stays."""

    problem: str

    @classmethod
    def by(cls, error: Exception) -> ReloadFailed:
        """The event of an error; one that is not the library's own, which says little without its kind, with that."""
        if isinstance(error, BanditrouteError):
            return cls(str(error))
        return cls(" ".join(f"{type(error).__name__}: {error}".split()))


@dataclass(frozen=True, slots=True)
class SwitchPassedOver:
    """The model that everything is switched to began to be unable to serve; others serve what it cannot."""

    model: str
    at: float


@dataclass(frozen=True, slots=True)
class BestFound:
    """A task class's best model is known, at that confidence: nothing else is tried there any more."""

    task: str
    model: str
    confidence: float


@dataclass(frozen=True, slots=True)
class BestDoubted:
    """Another model of the task class may be better than the one that was found: the class explores again."""

    task: str
    model: str
    reason: str


@dataclass(frozen=True, slots=True)
class RolloutChanged:
    """A newcomer's stage is another: trial, canary 5%, open or rolled back; why, in one line."""

    model: str
    stage: str
    reason: str


@dataclass(frozen=True, slots=True)
class SwitchThrown:
    """A switch was thrown in this process: which, and what to; empty = off."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class Alerted:
    """Whoever runs the router is told of something; `to` names where else than here: log, dashboard, webhook."""

    alert: Alert
    to: frozenset[str]


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
    | PeersChanged
    | StoreCrowded
    | ClassesChanged
    | Drifted
    | ShadowFailed
    | SwitchPassedOver
    | BestFound
    | BestDoubted
    | Reloaded
    | ReloadFailed
    | RolloutChanged
    | SwitchThrown
    | Alerted
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
