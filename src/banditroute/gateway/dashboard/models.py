"""Models and what is learned of them as the dashboard shows it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from banditroute.routing.catalog import Catalog, Model
from banditroute.routing.decider import Decider
from banditroute.telemetry.learned import Learned, learned
from banditroute.works import Works

_USUAL_TOKENS = (500, 300)  # of a prompt and of its answer, by which models are ranked
_SD95 = 1.96
_MOST_LOG = 7.0


@dataclass(frozen=True, slots=True)
class ModelLine:
    """A model that can be chosen or named.

    Attributes:
        model, provider: names; routed: whether it may be chosen where no model is named.
        input_usd_per_mtok, output_usd_per_mtok: what it is billed at.
        state: of its circuit: closed, open or half-open; refusal: why it cannot be called now, empty where it can.
        availability: share of its calls that were answered, lately.
    """

    model: str
    provider: str
    routed: bool
    input_usd_per_mtok: float
    output_usd_per_mtok: float
    state: str
    availability: float
    refusal: str


@dataclass(frozen=True, slots=True)
class EdgeLine:
    """What is believed of one model in one task class, at the class's mean prompt.

    Attributes:
        task, model: which.
        quality: with 95% probability between quality_low and quality_high; likewise dollars and seconds.
        judged: judgements that the quality rests on; answered: answers that the dollars rest on.
    """

    task: str
    model: str
    quality: float
    quality_low: float
    quality_high: float
    cost_usd: float
    cost_low_usd: float
    cost_high_usd: float
    latency_s: float
    judged: int
    answered: int


def by_cost(catalog: Catalog) -> tuple[Model, ...]:
    """The models from cheap to dear, by their prices of a usual request."""
    return tuple(sorted(catalog, key=lambda model: (model.price.estimate_usd(*_USUAL_TOKENS), model.name)))


def model_lines(catalog: Catalog, works: Works, now: float) -> list[ModelLine]:
    """Every model, from cheap to dear."""
    health = {each.model: each for each in works.availability.health(now)}
    return [
        ModelLine(
            model.name,
            model.provider,
            model.routed,
            model.price.input_usd_per_mtok,
            model.price.output_usd_per_mtok,
            health[model.name].state,
            health[model.name].availability,
            health[model.name].refusal,
        )
        for model in by_cost(catalog)
        if model.name in health
    ]


def edge_lines(decider: Decider) -> Iterator[EdgeLine]:
    """Every pair of task class and model of which anything was seen."""
    for (task, model), edge in learned(decider):
        if not edge.judged and not edge.answered:
            continue
        half, times = _SD95 * edge.quality_sd, _times(edge)
        yield EdgeLine(
            task,
            model,
            edge.quality,
            max(edge.quality - half, 0.0),
            min(edge.quality + half, 1.0),
            edge.cost_usd,
            edge.cost_usd / times,
            edge.cost_usd * times,
            edge.latency_s,
            round(edge.judged),
            round(edge.answered),
        )


def _times(edge: Learned) -> float:
    """How many times dearer or cheaper an edge may be, with 95% probability: dollars are believed on a log scale."""
    if edge.cost_usd <= 0.0:
        return 1.0
    return math.exp(min(_SD95 * edge.cost_sd_usd / edge.cost_usd, _MOST_LOG))
