"""Promises of latency: a share epsilon of requests, at most, is answered later than a limit.

A promise is paced as a budget is. Its cost is 1 where an answer was late and 0 where it was not, its budget is epsilon,
and what it asks of a model is the shadow price times the chance that this model is late, over epsilon. Realised misses
drive the price, so the promise holds even where forecasts are off; forecasts say whom to send less to before the misses
are there.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from banditroute.errors import ConfigError
from banditroute.learning.lateness import Calibration, calibrated, late, pacing_for
from banditroute.learning.pacer import Pacer
from banditroute.records import Decision, Outcome

from .paced import PaceRecord
from .rules import Rule, Situation
from .tasks import is_judging

Floats = NDArray[np.float64]

PROMISE = "promise/"
"""What the names of a promise's records begin with."""

_TOTALS, _MODEL = "/totals", "/of/"
_UNTOLD = Calibration(0.0, 0.0)


@dataclass(frozen=True, slots=True)
class Promise:
    """P(an answer takes longer than the limit) <= epsilon.

    Attributes:
        name: unique among promises.
        epsilon: the share of requests that may be late, above 0 and below 1.
        latency_s: the limit of the whole answer; or else
        ttft_s: that of the first token, of requests that stream.
        task: the task class that it is given for; empty = all.

    Raises:
        ConfigError: the share or the limit is none, or there are two limits.
    """

    name: str
    epsilon: float
    latency_s: float | None = None
    ttft_s: float | None = None
    task: str = ""

    def __post_init__(self) -> None:
        if not 0.0 < self.epsilon < 1.0:
            remedy = "give the share of requests that may be late, such as 0.05"
            raise ConfigError(f"{self.epsilon} is not a share", remedy=remedy, field="epsilon")
        if (self.latency_s is None) == (self.ttft_s is None):
            raise ConfigError("a promise has one limit", remedy="give latency_s or ttft_s", field="latency_s")
        if not 0.0 < self.limit_s < math.inf:
            field = "latency_s" if self.ttft_s is None else "ttft_s"
            raise ConfigError(f"{self.limit_s} is not a time", remedy="give seconds above 0", field=field)

    @property
    def limit_s(self) -> float:
        """Seconds after which an answer, or its first token, is late."""
        limit_s = self.latency_s if self.ttft_s is None else self.ttft_s
        assert limit_s is not None, "one of them is given"
        return limit_s

    def covers(self, task: str) -> bool:
        """Whether it is given for requests of a class; a judge's calls are nobody's to wait for."""
        return task == self.task if self.task else not is_judging(task)

    def was_late(self, outcome: Outcome) -> bool | None:
        """Whether an outcome was late; None where it does not say, as of one that failed before the limit."""
        if self.ttft_s is not None:
            waited_s = _first_token_s(outcome)
            return None if waited_s is None else waited_s > self.limit_s
        if outcome.latency_s > self.limit_s:
            return True
        return False if outcome.ok else None


class Kept(NamedTuple):
    """How a promise is kept so far.

    Attributes:
        promise: which.
        requests: how many it covered; late: how many of them were late.
        lately: the share of late ones among the newest, over epsilon.
        shadow_price: quality points that one epsilon-worth of lateness costs now.
        given_up: quality points (dollars at their shadow prices) that it costs a request, on average over all of them.
    """

    promise: Promise
    requests: int
    late: float
    lately: float
    shadow_price: float
    given_up: float

    @property
    def late_rate(self) -> float:
        """The share of requests that were late."""
        return self.late / self.requests if self.requests else 0.0

    @property
    def per_point(self) -> float:
        """Quality points a request that one point (0.01) of late answers less would cost now."""
        return 0.01 * self.shadow_price / self.promise.epsilon


class _Awaited(NamedTuple):
    """What was expected of a decision on its way."""

    model: str
    late: float
    given_up: float


class Keeper(Rule):
    """Keeps one promise.

    Args:
        promise: which.
    """

    minds_load = True

    def __init__(self, promise: Promise) -> None:
        self.promise = promise
        self._name = PROMISE + promise.name
        self._pacer = Pacer(promise.epsilon, pacing_for(promise.epsilon))
        self._calibrations: dict[str, Calibration] = {}
        self._requests, self._late, self._given_up = 0, 0.0, 0.0
        self._newest: tuple[Situation, Floats] | None = None  # the decision being made, and who would be late
        self._giving_up = 0.0
        self._awaited: dict[str, _Awaited] = {}

    @property
    def shadow_price(self) -> float:
        """Quality points that one epsilon-worth of lateness costs now."""
        return float(self._pacer.shadow_price)

    def kept(self) -> Kept:
        """How the promise is kept so far."""
        given_up = self._given_up / self._requests if self._requests else 0.0
        lately = float(self._pacer.pace.spend)
        return Kept(self.promise, self._requests, self._late, lately, self.shadow_price, given_up)

    def expected_late(self, situation: Situation) -> Floats:
        """The chance (K,) that each model is late, as busy as it is."""
        amounts = situation.amounts
        if self.promise.ttft_s is None:
            p = late(self.promise.limit_s, amounts.log_latency, amounts.log_latency_var)
        else:
            p = late(self.promise.limit_s, amounts.log_ttft, amounts.log_ttft_var)
        known = [self._calibrations.get(name, _UNTOLD) for name in situation.names]
        return calibrated(p, known) if self._calibrations else p

    def penalty(self, situation: Situation) -> Floats | None:
        """Quality points (K,): the price of each model's lateness."""
        self._newest, self._giving_up = None, 0.0
        if not self.promise.covers(situation.context.task):
            return None
        if self.promise.ttft_s is not None and not situation.demand.streaming:
            return None
        p = self.expected_late(situation)
        self._newest = situation, p
        return self.shadow_price / self.promise.epsilon * p

    def limits(self, situation: Situation, worth: Floats) -> None:
        """Bounds nothing; notes what the promise costs: how much better the best model is but for it."""
        if self._newest is None:
            return
        plain = worth + self.shadow_price / self.promise.epsilon * self._newest[1]
        plain, bent = (np.where(situation.eligible, each, -np.inf) for each in (plain, worth))
        self._giving_up = float(plain.max() - plain[bent.argmax()])

    def decided(self, decision: Decision) -> None:
        """Expects of a decision on its way what was expected of its model."""
        if self._newest is None or self._newest[0].context is not decision.context:
            return
        situation, p = self._newest
        chosen = float(p[situation.names.index(decision.chosen)])
        self._awaited[decision.decision_id] = _Awaited(decision.chosen, chosen, self._giving_up)
        self._pacer.expect(chosen)

    def settled(self, decision: Decision, outcome: Outcome) -> None:
        """Takes in whether an answer was late."""
        awaited = self._awaited.pop(decision.decision_id, None)
        was_late = self.promise.was_late(outcome) if self.promise.covers(decision.context.task) else None
        expected = None if awaited is None else awaited.late
        if was_late is None:
            if expected is not None:  # it says nothing, so the price must not move by it
                self._pacer.spend(self.promise.epsilon, expected)
            return
        self._pacer.spend(float(was_late), expected)
        self._requests += 1
        self._late += was_late
        if awaited is not None:
            self._given_up += awaited.given_up
            if outcome.ok and outcome.served == awaited.model and len(outcome.attempts) <= 1:
                known = self._calibrations.get(awaited.model, _UNTOLD)
                self._calibrations[awaited.model] = known.after(awaited.late, was_late=was_late)

    def records(self) -> Iterable[PaceRecord]:
        """Its pacer, its totals, and how far forecasts were off for each model."""
        yield PaceRecord.of(self._name, self._pacer)
        yield PaceRecord(self._name + _TOTALS, self._given_up, self._late, 0.0, 0.0, self._requests)
        for model, (expected, seen) in self._calibrations.items():
            yield PaceRecord(self._name + _MODEL + model, expected, seen, 0.0, 0.0, 0)

    def restore(self, records: Sequence[PaceRecord]) -> None:
        """Goes on from where it stood."""
        for record in records:
            kind = record.budget.removeprefix(self._name)
            if record.budget == self._name:
                self._pacer.resume(record.pace, record.requests)
            elif not record.budget.startswith(self._name):
                continue
            elif kind == _TOTALS:
                self._given_up, self._late, self._requests = record.log_price, record.spend, record.requests
            elif kind.startswith(_MODEL):
                self._calibrations[kind.removeprefix(_MODEL)] = Calibration(record.log_price, record.spend)


def keepers(promises: Iterable[Promise]) -> tuple[Keeper, ...]:
    """One keeper for each promise."""
    return tuple(Keeper(promise) for promise in promises)


def kept_by_record(promises: Iterable[Promise], records: Iterable[PaceRecord]) -> tuple[Kept, ...]:
    """How promises are kept so far, by what is on record of them."""
    known, found = tuple(records), keepers(promises)
    for keeper in found:
        keeper.restore(known)
    return tuple(keeper.kept() for keeper in found)


def _first_token_s(outcome: Outcome) -> float | None:
    """Seconds from the decision to the first token: its call's own, and what was lost on calls before it."""
    if outcome.ttft_s is None:
        return None
    answered = [attempt.duration_s for attempt in outcome.attempts if not attempt.failure]
    before_s = outcome.latency_s - answered[-1] if answered else 0.0
    return outcome.ttft_s + max(before_s, 0.0)
