"""What events do to outcomes: the table as it is while some of them are in force."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from banditroute.simulation.scenario import (
    AddEvent,
    BudgetEvent,
    Event,
    LatencyEvent,
    OutageEvent,
    PriceEvent,
    QualityEvent,
    RemoveEvent,
    Subject,
)
from banditroute.simulation.table import OUTCOME_FIELDS, OutcomeTable

Floats = NDArray[np.float64]


def in_force(events: Sequence[Event], now: int) -> tuple[Event, ...]:
    """The events that hold at a request: of each subject the last one, and every outage that is not over."""
    begun = sorted((event for event in events if event.at <= now), key=lambda event: event.at)
    last: dict[Subject, Event] = {event.subject: event for event in begun if not isinstance(event, OutageEvent)}
    outages = (event for event in begun if isinstance(event, OutageEvent) and now < event.until)
    return (*last.values(), *outages)


def absent_at_first(events: Sequence[Event]) -> tuple[str, ...]:
    """The models that are not there before the first event: those that are added before they are ever removed."""
    first: dict[str, Event] = {}
    for event in sorted(events, key=lambda event: event.at):
        if isinstance(event, AddEvent | RemoveEvent):
            first.setdefault(event.model, event)
    return tuple(model for model, event in first.items() if isinstance(event, AddEvent))


def changed(table: OutcomeTable, events: Sequence[Event], now: int) -> OutcomeTable:
    """The table as it is at a request; a model that cannot serve is not observed."""
    arrays = {field: getattr(table, field).copy() for field in OUTCOME_FIELDS}
    column = {model: k for k, model in enumerate(table.models)}
    hidden = dict.fromkeys(absent_at_first(events))
    for event in in_force(events, now):
        match event:
            case PriceEvent():
                arrays["cost_usd"][:, column[event.model]] *= event.factor
            case LatencyEvent():
                arrays["latency_s"][:, column[event.model]] *= event.factor
            case QualityEvent():
                quality = arrays["quality"][:, column[event.model]]
                quality[:] = _moved(quality, event)
            case AddEvent():
                hidden.pop(event.model, None)
            case RemoveEvent() | OutageEvent():
                hidden[event.model] = None
            case BudgetEvent():
                pass
    return without(replace(table, **arrays), tuple(hidden))


def without(table: OutcomeTable, models: Sequence[str]) -> OutcomeTable:
    """The same rows and models, these models observed nowhere."""
    arrays = {field: getattr(table, field).copy() for field in OUTCOME_FIELDS}
    for model in set(models) & set(table.models):
        for values in arrays.values():
            values[:, table.models.index(model)] = np.nan
    return replace(table, **arrays)


def with_newcomers(table: OutcomeTable, newcomers: Sequence[AddEvent]) -> OutcomeTable:
    """The table with a further column for each model that copies another one."""
    wide = table.with_models((*table.models, *(add.model for add in newcomers)))
    arrays = {field: getattr(wide, field).copy() for field in OUTCOME_FIELDS}
    for k, add in enumerate(newcomers, start=len(table.models)):
        source = table.models.index(str(add.like))
        for values in arrays.values():
            values[:, k] = values[:, source]
        if add.cost_factor is not None:
            arrays["cost_usd"][:, k] *= add.cost_factor
        if add.quality is not None:
            arrays["quality"][:, k] = moved_to(arrays["quality"][:, k], add.quality)
    return replace(wide, **arrays)


def moved_to(quality: Floats, mean: float) -> Floats:
    """Qualities (n,) shifted alike and clipped to [0, 1], so that their mean is the one given; nan stays nan.

    Clipping takes back part of a shift, hence the search: the mean grows with the shift, from 0 at -1 to 1 at +1.
    """
    known = quality[~np.isnan(quality)]
    if known.size == 0:
        return quality
    low, high = -1.0, 1.0
    for _ in range(60):
        shift = 0.5 * (low + high)
        low, high = (shift, high) if np.clip(known + shift, 0.0, 1.0).mean() < mean else (low, shift)
    return np.clip(quality + high, 0.0, 1.0)


def _moved(quality: Floats, event: QualityEvent) -> Floats:
    if event.set is not None:
        return moved_to(quality, event.set)
    return np.clip(quality + (event.shift or 0.0), 0.0, 1.0)
