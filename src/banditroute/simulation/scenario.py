"""What happens while a table is streamed: events at request indices, and how judgements reach the router."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, ClassVar, Literal, NamedTuple

from pydantic import ConfigDict, Field

from banditroute.errors import ConfigError
from banditroute.routing.budgets import Cap, PacedBudget
from banditroute.simulation.scenario_slo import Slo
from banditroute.simulation.scenario_traffic import Traffic
from banditroute.simulation.values import Number, Score, Text

Index = Annotated[int, Field(strict=True, ge=0)]
Positive = Annotated[float, Field(strict=True, allow_inf_nan=False, gt=0)]
Flag = Annotated[bool, Field(strict=True)]

_KNOWN_KEYS_ONLY = ConfigDict(extra="forbid")


class Subject(NamedTuple):
    """What an event sets: it holds until the next event with the same subject. The model is "" for a budget."""

    what: str
    model: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Event:
    """What every event says: the request from which on it holds, and what it does."""

    __pydantic_config__: ClassVar[ConfigDict] = _KNOWN_KEYS_ONLY
    at: Index
    kind: str

    @property
    def subject(self) -> Subject:
        """What the event sets."""
        return Subject(self.kind, "")


@dataclass(frozen=True, slots=True, kw_only=True)
class _ModelEvent(_Event):
    """What events that befall one model say: which."""

    model: Text

    @property
    def subject(self) -> Subject:
        """What the event sets of its model."""
        return Subject(self.kind, self.model)


@dataclass(frozen=True, slots=True, kw_only=True)
class _PresenceEvent(_ModelEvent):
    """A model comes or goes."""

    @property
    def subject(self) -> Subject:
        """Whether the model is there."""
        return Subject("presence", self.model)


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceEvent(_ModelEvent):
    """From `at` on a model's dollars are the table's times a factor; announced: the router's owner knows at once."""

    kind: Literal["price"] = "price"
    factor: Positive
    announced: Flag = True


@dataclass(frozen=True, slots=True, kw_only=True)
class QualityEvent(_ModelEvent):
    """From `at` on a model's quality is the table's, shifted by `shift`, or so that its mean is `set`; within 0..1."""

    kind: Literal["quality"] = "quality"
    shift: Number | None = None
    set: Score | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LatencyEvent(_ModelEvent):
    """From `at` on a model's seconds are the table's times a factor."""

    kind: Literal["latency"] = "latency"
    factor: Positive


@dataclass(frozen=True, slots=True, kw_only=True)
class OutageEvent(_ModelEvent):
    """A model serves nothing from `at` until just before `until`."""

    kind: Literal["outage"] = "outage"
    until: Index


@dataclass(frozen=True, slots=True, kw_only=True)
class AddEvent(_PresenceEvent):
    """A model enters at `at` and is absent before, in the warm-up too.

    Attributes:
        like: the table's model whose outcomes a newcomer copies that the table lacks.
        quality: the mean that the copy's quality is moved to.
        cost_factor: the copy's dollars over those of its original.
    """

    kind: Literal["add"] = "add"
    like: Text | None = None
    quality: Score | None = None
    cost_factor: Positive | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveEvent(_PresenceEvent):
    """A model is gone from `at` on."""

    kind: Literal["remove"] = "remove"


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetEvent(_Event):
    """From `at` on the budget is another, whatever it was before."""

    kind: Literal["budget"] = "budget"
    usd_per_request: Positive


Event = PriceEvent | QualityEvent | LatencyEvent | OutageEvent | AddEvent | RemoveEvent | BudgetEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class Feedback:
    """How judgements reach the router, in the warm-up too; bills come at once.

    Attributes:
        delay_requests: a judgement comes after so many further requests were decided.
        missing: share of answers that are never judged.
        missing_by_model: the share instead, for the models named.
    """

    __pydantic_config__: ClassVar[ConfigDict] = _KNOWN_KEYS_ONLY
    delay_requests: Index = 0
    missing: Score = 0.0
    missing_by_model: Mapping[Text, Score] = field(default_factory=dict[str, float])


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """Events and feedback.

    Attributes:
        events: in the order of the file; request indices count the scored table's rows from 0.
        feedback: how judgements come.
        name: what to call it; a loaded one is called like its file, without the ending.
        path: the file, where there is one.
        lines: the line of each event in it, None where unknown.
        traffic: when requests come; None = one after the other, and time does not pass.
        budgets: what may be spent besides; they need traffic.
        slo: how few answers may be late; it needs traffic too.
    """

    events: tuple[Event, ...] = ()
    feedback: Feedback = field(default_factory=Feedback)
    name: str = "scenario"
    path: str | None = None
    lines: tuple[int | None, ...] = ()
    traffic: Traffic | None = None
    slo: Slo | None = None
    budgets: tuple[PacedBudget | Cap, ...] = ()

    def newcomers(self) -> tuple[AddEvent, ...]:
        """The models that copy another one, each once, in the order of the file."""
        first: dict[str, AddEvent] = {}
        for event in self.events:
            if isinstance(event, AddEvent) and event.like is not None:
                first.setdefault(event.model, event)
        return tuple(first.values())

    def error(self, position: int, key: str, problem: str, remedy: str) -> ConfigError:
        """A ConfigError that names one key of one event."""
        line = self.lines[position] if position < len(self.lines) else None
        return ConfigError(problem, remedy=remedy, path=self.path, line=line, field=f"event[{position}].{key}")
