"""Whether a scenario fits a table: known models, indices within it, nothing said twice."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from banditroute.errors import ConfigError, meant
from banditroute.routing.budgets import Cap, PacedBudget
from banditroute.simulation.scenario import (
    AddEvent,
    BudgetEvent,
    Event,
    LatencyEvent,
    OutageEvent,
    QualityEvent,
    Scenario,
    Subject,
)
from banditroute.simulation.table import OutcomeTable


def check_scenario(scenario: Scenario, table: OutcomeTable) -> None:
    """Raises ConfigError for the first thing in a scenario that does not fit a table."""
    newcomers = scenario.newcomers()
    models = tuple(dict.fromkeys((*table.models, *(add.model for add in newcomers))))
    seen: dict[tuple[int, Subject], int] = {}
    for position, event in enumerate(scenario.events):
        for key, problem, remedy in _problems(event, table, newcomers, models):
            raise scenario.error(position, key, problem, remedy)
        if (twin := seen.setdefault((event.at, event.subject), position)) != position:
            problem = f"event[{twin}] sets the same at request {event.at}"
            raise scenario.error(position, "at", problem, "keep one of the two")
    for number, budget in enumerate(scenario.budgets):
        for key, problem, remedy in _budget_problems(number, budget, scenario, table):
            raise ConfigError(problem, remedy=remedy, path=scenario.path, field=f"budgets[{number}].{key}")
    for model in scenario.feedback.missing_by_model:
        if model not in models:
            problem, remedy = _unknown(model, models, "choose from")
            raise ConfigError(problem, remedy=remedy, path=scenario.path, field="feedback.missing_by_model")


_Found = Iterator[tuple[str, str, str]]


def _budget_problems(number: int, budget: PacedBudget | Cap, scenario: Scenario, table: OutcomeTable) -> _Found:
    """The same for one budget."""
    if budget.name in (other.name for other in scenario.budgets[:number]):
        yield "name", f"an earlier budget is named {budget.name!r} too", "name each its own"
    scope, tenants = budget.scope, scenario.traffic.tenants if scenario.traffic else ()
    if scope.kind == "tenant" and scope.name not in tenants:
        yield "scope", f"no request is on behalf of {scope.name!r}", "give it a share in traffic.tenants"
    if scope.kind == "task" and scope.name not in table.tasks:
        yield "scope", f"the table has no class {scope.name!r}", f"its classes: {', '.join(table.tasks) or 'none'}"


def _problems(event: Event, table: OutcomeTable, newcomers: tuple[AddEvent, ...], models: tuple[str, ...]) -> _Found:
    """The key, what is wrong with it and what to do, for all that is wrong with one event."""
    if event.at >= table.requests:
        yield "at", f"{event.at} is not among the table's {table.requests} requests", "give one below that"
    match event:
        case BudgetEvent():
            return
        case AddEvent():
            yield from _newcomer_problems(event, table, newcomers, models)
        case _:
            if event.model not in models:
                yield "model", *_unknown(event.model, models, "choose from")
    match event:
        case QualityEvent(shift=shift, set=mean) if (shift is None) == (mean is None):
            problem = "is missing, and so is set" if shift is None else "stands beside set"
            yield "shift", problem, "give one of the two"
        case OutageEvent(at=at, until=until) if until <= at:
            yield "until", f"{until} is not after the outage's begin, {at}", "give a later request"
        case LatencyEvent() if np.isnan(table.latency_s).all():
            yield "kind", "the table has no latencies to change", "take the event out, or give the table latency_s"
        case _:
            pass


def _newcomer_problems(
    event: AddEvent, table: OutcomeTable, newcomers: tuple[AddEvent, ...], models: tuple[str, ...]
) -> _Found:
    if event.like is None:
        if event.model not in models:
            yield "model", *_unknown(event.model, models, 'say like = "MODEL" for a copy of one, or choose from')
        for key in ("quality", "cost_factor"):
            if getattr(event, key) is not None:
                yield key, "is for copies", 'say like = "MODEL" too, or use events of kind quality and price'
    elif event.model in table.models:
        yield "like", f"the table has outcomes of {event.model!r} itself", "leave like out, or choose another name"
    elif event.like not in table.models:
        yield "like", *_unknown(event.like, table.models, "choose from")
    elif event not in newcomers:
        remedy = "leave like, quality and cost_factor out: it returns as it was"
        yield "like", f"{event.model!r} is a copy already, made by an event above", remedy


def _unknown(model: str, models: tuple[str, ...], otherwise: str) -> tuple[str, str]:
    return f"the table has no model {model!r}", f"{meant(model, models)}{otherwise}: {', '.join(models)}"
