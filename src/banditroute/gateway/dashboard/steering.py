"""What bends decisions, as the dashboard shows it: switches, guards, newcomers, promises, classes that are settled."""

from __future__ import annotations

import math
from dataclasses import dataclass

from banditroute.learner import Learner
from banditroute.reports.store.guards import GuardView, guards_on
from banditroute.routing.guards import BestKnown, GuardSettings
from banditroute.routing.promises import Keeper, Kept
from banditroute.routing.rollout import standings_of
from banditroute.routing.standings import Standing


@dataclass(frozen=True, slots=True)
class NewcomerLine:
    """A model that came when others were in use: see `routing.standings.Standing`."""

    model: str
    stage: str
    most: float
    requests: int
    judged: float
    gain: float | None
    radius: float | None


@dataclass(frozen=True, slots=True)
class PromiseLine:
    """A promise of latency: see `routing.promises.Kept`."""

    name: str
    task: str
    latency_s: float | None
    ttft_s: float | None
    epsilon: float
    requests: int
    late_rate: float
    late_rate_lately: float
    shadow_price: float


@dataclass(frozen=True, slots=True)
class BestLine:
    """A task class whose best model is known."""

    task: str
    model: str


@dataclass(frozen=True, slots=True)
class Steered:
    """All of it.

    Attributes:
        only: the model that everything is switched to; empty = the router chooses.
        frozen: nothing is tried.
    """

    only: str
    frozen: bool
    guards: list[GuardView]
    newcomers: list[NewcomerLine]
    promises: list[PromiseLine]
    best: list[BestLine]


def steered(learner: Learner, settings: GuardSettings) -> Steered:
    """What bends decisions now.

    Args:
        learner: its decider and switches.
        settings: guards of the configuration in force.
    """
    switches, decider = learner.switches.values, learner.decider
    rules = decider.steering.rules
    records = {record.budget: record for record in decider.paces}
    return Steered(
        only=switches["only"],
        frozen=bool(switches["freeze"]),
        guards=list(guards_on(settings, switches, records)),
        newcomers=[_newcomer(each) for each in standings_of(decider.steering)],
        promises=[_promise(each.kept()) for each in rules if isinstance(each, Keeper)],
        best=[BestLine(*pair) for each in rules if isinstance(each, BestKnown) for pair in each.found.items()],
    )


def _newcomer(each: Standing) -> NewcomerLine:
    known = bool(each.judged) and math.isfinite(each.radius)
    gain, radius = (each.gain, each.radius) if known else (None, None)
    return NewcomerLine(each.model, each.stage, each.most, each.requests, each.judged, gain, radius)


def _promise(kept: Kept) -> PromiseLine:
    promise = kept.promise
    return PromiseLine(
        promise.name,
        promise.task,
        promise.latency_s,
        promise.ttft_s,
        promise.epsilon,
        kept.requests,
        kept.late_rate,
        kept.lately * promise.epsilon,
        kept.shadow_price,
    )
