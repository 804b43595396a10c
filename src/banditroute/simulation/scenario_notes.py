"""What the reader of a simulation under a scenario should know."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from .scenario import OutageEvent, PriceEvent, Scenario

_KNOWS = {
    "mixture": "the table as it is at the first request",
    "class-lp": "the table as it is at the first request",
    "clairvoyant": "the outcomes of every stage, means by class",
    "oracle": "the outcomes of every stage, row by row",
}


def scenario_notes(scenario: Scenario, policies: Sequence[str]) -> Iterator[str]:
    """Plain sentences on what policies know of a scenario, and on what stands in for a model that is away."""
    if scenario.traffic is not None:
        yield "Requests arrive in time: the live router's own decider and caps were played."
    for policy in policies:
        if policy in _KNOWS:
            yield f"{policy} knows {_KNOWS[policy]}."
    if any(isinstance(event, PriceEvent) and not event.announced for event in scenario.events):
        yield "Prices that are not announced are noticed by their bills alone."
    if any(isinstance(event, OutageEvent) for event in scenario.events):
        yield "During an outage the model is ineligible: its circuit breaker is taken to be open."
    for add in scenario.newcomers():
        yield f"{add.model} copies the outcomes of {add.like} from request {add.at} on."
