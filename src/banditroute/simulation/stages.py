"""A scenario played out on a table: stages between which something changes, each a table of its own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol

from banditroute.errors import ConfigError
from banditroute.simulation.changes import absent_at_first, changed, in_force, with_newcomers, without
from banditroute.simulation.scenario import AddEvent, BudgetEvent, Event, Feedback, OutageEvent, PriceEvent, Scenario
from banditroute.simulation.scenario_checks import check_scenario
from banditroute.simulation.table import OutcomeTable


class Told(Protocol):
    """Who hears of what a router's owner knows: announced prices, and the owner's own budget."""

    def reprice(self, arm: int, factor: float) -> None:
        """A model's prices are multiplied by a factor from now on."""
        ...

    def rebudget(self, budget_usd: float) -> None:
        """The budget is another from now on, dollars per request."""
        ...

    def welcome(self, arm: int) -> None:
        """A model enters now."""
        ...


@dataclass(frozen=True, slots=True)
class Repriced:
    """The news that a model's prices changed by a factor."""

    arm: int
    factor: float

    def tell(self, policy: Told) -> None:
        """Tells it."""
        policy.reprice(self.arm, self.factor)


@dataclass(frozen=True, slots=True)
class Rebudgeted:
    """The news that the budget changed."""

    budget_usd: float

    def tell(self, policy: Told) -> None:
        """Tells it."""
        policy.rebudget(self.budget_usd)


@dataclass(frozen=True, slots=True)
class Added:
    """The news that a model enters."""

    arm: int

    def tell(self, policy: Told) -> None:
        """Tells it."""
        policy.welcome(self.arm)


News = Repriced | Rebudgeted | Added


@dataclass(frozen=True, slots=True)
class Stage:
    """A stretch of the scored stream within which nothing changes.

    Attributes:
        first: its first request; last: the one after its last.
        table: the outcomes meanwhile; a model that cannot serve is not observed.
        budget_usd: dollars per request that a scenario sets; None = each run's own.
        news: what a router's owner hears before its first request.
    """

    first: int
    last: int
    table: OutcomeTable
    budget_usd: float | None = None
    news: tuple[News, ...] = ()

    def budget(self, own_usd: float | None) -> float | None:
        """The budget that holds in a run with a budget of its own; None = unconstrained."""
        return own_usd if self.budget_usd is None else self.budget_usd


@dataclass(frozen=True, slots=True)
class Script:
    """A scenario played out on a table.

    Attributes:
        stages: one after the other, from the first scored request to the last.
        phases: the stretches (first, last) between the distinct `at` values, which results tell apart.
        feedback: how judgements arrive.
    """

    stages: tuple[Stage, ...]
    phases: tuple[tuple[int, int], ...]
    feedback: Feedback

    def budget(self, request: int, own_usd: float | None) -> float | None:
        """The budget that holds at a request, in a run with a budget of its own."""
        return next(stage for stage in self.stages if request < stage.last).budget(own_usd)


def script_of(table: OutcomeTable, scenario: Scenario | None) -> Script:
    """The script of a table under a scenario; without one, the whole table is the only stage.

    Raises:
        ConfigError: the scenario does not fit the table, or leaves rows that no model can serve.
    """
    if scenario is None:
        return Script((Stage(0, table.requests, table),), ((0, table.requests),), Feedback())
    check_scenario(scenario, table)
    events, wide = scenario.events, with_newcomers(table, scenario.newcomers())
    cuts = {0, *(event.at for event in events)}
    ends = {event.until for event in events if isinstance(event, OutageEvent) and event.until < table.requests}
    stages = tuple(_stage(wide, events, first, last) for first, last in _stretches(cuts | ends, table))
    for stage in stages:
        _check_served(stage, scenario)
    return Script(stages, tuple(_stretches(cuts, table)), scenario.feedback)


def _stretches(starts: set[int], table: OutcomeTable) -> Iterator[tuple[int, int]]:
    return pairwise([*sorted(starts), table.requests])


def warmup_of(warmup: OutcomeTable | None, scenario: Scenario | None) -> OutcomeTable | None:
    """The warm-up table, in which a model is absent that a scenario adds later."""
    if warmup is None or scenario is None:
        return warmup
    return without(warmup, absent_at_first(scenario.events))


def _stage(table: OutcomeTable, events: Sequence[Event], first: int, last: int) -> Stage:
    held = in_force(events, first)
    budget = next((event.usd_per_request for event in held if isinstance(event, BudgetEvent)), None)
    return Stage(first, last, changed(table, events, first), budget, _news(table, events, first))


def _news(table: OutcomeTable, events: Sequence[Event], now: int) -> tuple[News, ...]:
    before = {event.model: event.factor for event in in_force(events, now - 1) if isinstance(event, PriceEvent)}
    news: list[News] = []
    for event in events:
        if event.at != now:
            continue
        if isinstance(event, PriceEvent) and event.announced:
            news.append(Repriced(table.models.index(event.model), event.factor / before.get(event.model, 1.0)))
        elif isinstance(event, BudgetEvent):
            news.append(Rebudgeted(event.usd_per_request))
        elif isinstance(event, AddEvent):
            news.append(Added(table.models.index(event.model)))
    return tuple(news)


def _check_served(stage: Stage, scenario: Scenario) -> None:
    idle = int((~stage.table.observed.any(1)).sum())
    if idle:
        gone = [m for k, m in enumerate(stage.table.models) if not stage.table.observed[:, k].any()]
        problem = f"from request {stage.first} on, {idle} rows have no model to serve them; gone: {', '.join(gone)}"
        raise ConfigError(problem, remedy="leave each row a model that the table observes on it", path=scenario.path)
