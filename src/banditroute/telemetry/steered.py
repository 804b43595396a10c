"""The metrics of what bends decisions: guards, switches, promises of latency, newcomers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from banditroute.routing.decider import Decider
from banditroute.routing.guards import BaselineGuard, BestKnown, ExplorationCap
from banditroute.routing.guards.counting import GUARDS
from banditroute.routing.pacers import PaceRecord
from banditroute.routing.promises import Keeper
from banditroute.routing.rollout import standings_of
from banditroute.routing.steering import Rule

from .families import Readings, counter, gauge

ASKED = counter("banditroute_guard_decisions_total", "Decisions that were drawn under a guard.", "guard")
BENT = counter("banditroute_guard_bent_total", "Those of them that it bent.", "guard")
MARGIN = gauge(
    "banditroute_guard_margin_points",
    "Quality points, of all requests together, that are surely left before a baseline model would have done better.",
    "guard",
)
EXPLORED = gauge(
    "banditroute_guard_exploration_used_usd", "Dollars that exploring was expected to cost today (UTC).", "guard"
)
SWITCH = gauge("banditroute_switch_on", "1 where a switch is thrown, with what to.", "switch", "value")
BEST = gauge("banditroute_best_model_known", "1 for the model known to be a class's best.", "task", "model")
STAGE = gauge("banditroute_rollout_stage", "1 for the stage that a newcomer is in.", "model", "stage")
MOST = gauge("banditroute_rollout_most_ratio", "The largest share of requests that a newcomer may get.", "model")
GAIN = gauge(
    "banditroute_rollout_gain_points", "Quality points a request of a newcomer, beside the best other.", "model"
)
RADIUS = gauge(
    "banditroute_rollout_gain_radius_points", "How far off that may be, with the confidence asked for.", "model"
)
COVERED = counter("banditroute_promise_requests_total", "Requests that a latency promise covers.", "promise")
LATE = counter("banditroute_promise_late_total", "Those of them that were late.", "promise")
ALLOWED = gauge("banditroute_promise_epsilon_ratio", "Share of them that may be late.", "promise")
LATENESS_PRICE = gauge(
    "banditroute_promise_shadow_price_points",
    "Quality points that the promised share of lateness must earn: 0 where the promise costs nothing.",
    "promise",
)

FAMILIES = (
    ASKED,
    BENT,
    MARGIN,
    EXPLORED,
    SWITCH,
    BEST,
    STAGE,
    MOST,
    GAIN,
    RADIUS,
    COVERED,
    LATE,
    ALLOWED,
    LATENESS_PRICE,
)


def readings(
    decider: Decider, switches: Mapping[str, str], paces: Iterable[PaceRecord], now: float
) -> Iterator[Readings]:
    """How rules and switches stand.

    Args:
        decider: whose choices they bend.
        switches: what each is thrown to; empty = off.
        paces: the decider's records.
        now: the instant, seconds since the epoch.
    """
    rules = decider.steering.rules
    guards = [each for each in paces if each.budget.startswith(GUARDS)]
    yield Readings(ASKED, [((_name(each),), each.requests) for each in guards])
    yield Readings(BENT, [((_name(each),), int(each.level)) for each in guards])
    yield Readings(SWITCH, [((name, value), 1) for name, value in switches.items() if value])
    yield from _guards(rules, now)
    yield from _newcomers(decider)
    yield from _promises(rules)


def _guards(rules: Iterable[Rule], now: float) -> Iterator[Readings]:
    margins = [(("baseline",), each.margin) for each in rules if isinstance(each, BaselineGuard)]
    yield Readings(MARGIN, margins)
    used = [(("exploration",), each.used_usd(now)) for each in rules if isinstance(each, ExplorationCap)]
    yield Readings(EXPLORED, used)
    known = [pair for each in rules if isinstance(each, BestKnown) for pair in each.found.items()]
    yield Readings(BEST, [(pair, 1) for pair in known])


def _newcomers(decider: Decider) -> Iterator[Readings]:
    standings = standings_of(decider.steering)
    yield Readings(STAGE, [((each.model, each.stage), 1) for each in standings])
    yield Readings(MOST, [((each.model,), each.most) for each in standings])
    yield Readings(GAIN, [((each.model,), each.gain) for each in standings])
    yield Readings(RADIUS, [((each.model,), each.radius) for each in standings])


def _promises(rules: Iterable[Rule]) -> Iterator[Readings]:
    kept = [each.kept() for each in rules if isinstance(each, Keeper)]
    yield Readings(COVERED, [((each.promise.name,), each.requests) for each in kept])
    yield Readings(LATE, [((each.promise.name,), each.late) for each in kept])
    yield Readings(ALLOWED, [((each.promise.name,), each.promise.epsilon) for each in kept])
    yield Readings(LATENESS_PRICE, [((each.promise.name,), each.shadow_price) for each in kept])


def _name(record: PaceRecord) -> str:
    return record.budget.removeprefix(GUARDS)
