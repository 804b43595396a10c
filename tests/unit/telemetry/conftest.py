"""Events of requests as a router tells them, and readings as a scrape shows them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import pytest
from prometheus_client.parser import text_string_to_metric_families

from banditroute.observe import Settled
from banditroute.records import Attempt, Context, Decision, Forecast, Outcome, Usage
from banditroute.telemetry import exposition
from banditroute.telemetry.exposition import Readable

Shown = Callable[..., float | None]
NOW = 1_000_000.0


def a_decision(
    chosen: str = "a",
    *,
    task: str = "qa",
    name: str = "d",
    propensities: Mapping[str, float] | None = None,
    pinned: bool = False,
    tenant: str = "",
) -> Decision:
    propensities = {"a": 0.7, "b": 0.3} if propensities is None else propensities
    forecasts = {model: Forecast(0.5, 0.1, 0.001, 1.0, 100.0) for model in propensities}
    context = Context(task, input_tokens=10)
    return Decision(
        name, NOW, context, chosen, propensities[chosen], propensities, {}, forecasts, tenant=tenant, pinned=pinned
    )


def a_settlement(made: Decision, *attempts: Attempt, served: str | None = None, **fields: object) -> Settled:
    served = made.chosen if served is None else served
    usual = Outcome(
        made.decision_id,
        served,
        NOW + 1.5,
        Usage(100, 20),
        sum(attempt.cost_usd for attempt in attempts),
        1.5,
        ok=bool(served),
        attempts=attempts,
    )
    return Settled(replace(usual, **fields), made)


@pytest.fixture
def decision() -> Callable[..., Decision]:
    """Makes a decision at NOW between a, which is likelier, and b."""
    return a_decision


@pytest.fixture
def settled() -> Callable[..., Settled]:
    """Makes the end of a decision, a second and a half later."""
    return a_settlement


@pytest.fixture
def shown() -> Callable[[Readable], Shown]:
    """Given metrics, what a scrape shows under a sample's name and labels; None where it shows nothing there."""

    def scrape(metrics: Readable) -> Shown:
        body, _ = exposition(metrics)
        samples = {
            (sample.name, frozenset(sample.labels.items())): sample.value
            for family in text_string_to_metric_families(body.decode())
            for sample in family.samples
        }

        def value(name: str, **labels: str) -> float | None:
            return samples.get((f"banditroute_{name}", frozenset(labels.items())))

        return value

    return scrape
