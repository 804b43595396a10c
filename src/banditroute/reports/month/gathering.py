"""From a log that streams by to a month's sums; what is kept grows with tenants, classes and models, not with rows."""

from __future__ import annotations

import statistics
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import replace

import numpy as np

from banditroute.records import Decision, Outcome
from banditroute.reports.month.calendar import DAY_S, before, days_of, weeks_of
from banditroute.reports.month.month import Traffic, WeekSums
from banditroute.reports.month.sample import Sample
from banditroute.reports.month.sums import Sums, picos
from banditroute.reports.store.sources import SourceTally
from banditroute.routing.accounts import PICOS
from banditroute.routing.budgets import PacedBudget, Window
from banditroute.routing.tasks import is_judging
from banditroute.routing.windows import Period
from banditroute.storage.protocol import Trail

Progress = Callable[[int, int | None], None]

_SHOWN_EVERY = 256  # rows
_LATE_S = DAY_S  # by how much a decision may be older than one that was taken in before it


class Gathering:
    """Sums over decisions, in any order; those of other months count for nothing, but for the mix of the one before.

    Args:
        period: the month.
        paces: paced budgets, whose requests are counted.
        sample: takes in the decisions that were left to chance.
    """

    def __init__(self, period: Period, paces: tuple[PacedBudget, ...], sample: Sample) -> None:
        self.sample = sample
        self.mix: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self.paced = {budget.name: Sums() for budget in paces}
        self.charged = Counter[Window]()
        self._period, self._before, self._paces = period, before(period), paces
        self._total = Sums()
        self._tenants, self._tasks, self._models = (defaultdict[str, Sums](Sums) for _ in range(3))
        self._days = [0] * days_of(period)
        self._weeks = tuple(WeekSums(week, Sums()) for week in weeks_of(period))
        self._sources = SourceTally()
        self._first_at: float | None = None
        self._last_at: float | None = None

    def add(self, trail: Trail) -> None:
        """Takes a decision in."""
        for charge in trail.charges:
            if charge.window.period.startswith(self._period.name):
                self.charged[charge.window] += picos(charge.usd)
        at = trail.decision.at
        if self._period.starts_at <= at < self._period.ends_at:
            self._add(trail)
        elif self._before.starts_at <= at < self._period.starts_at and _is_drawn(trail):
            self.mix[trail.decision.context.task][trail.decision.chosen] += 1

    def traffic(self) -> Traffic:
        """All of it so far."""
        return Traffic(
            total=self._total,
            tenants=dict(self._tenants),
            tasks=dict(self._tasks),
            models=dict(self._models),
            days_usd=np.array(self._days, dtype=np.float64) / PICOS,
            weeks=self._weeks,
            sources=self._sources.views(),
            first_at=self._first_at,
            last_at=self._last_at,
        )

    def _add(self, trail: Trail) -> None:
        decision, sums = trail.decision, sums_of(trail)
        self._sources.add(trail)
        self._first_at = decision.at if self._first_at is None else min(self._first_at, decision.at)
        self._last_at = decision.at if self._last_at is None else max(self._last_at, decision.at)
        self._total.add(sums)
        self._tenants[decision.tenant].add(sums)
        self._tasks[decision.context.task].add(sums)
        for model, part in _by_model(trail, sums):
            self._models[model].add(part)
        self._days[int((decision.at - self._period.starts_at) // DAY_S)] += sums.picos
        next(each for each in self._weeks if decision.at < each.week.ends_at).sums.add(sums)
        self._pace(decision, sums)
        if _is_drawn(trail) and trail.outcome is not None:
            self.sample.offer(trail)

    def _pace(self, decision: Decision, sums: Sums) -> None:
        """Counts a request for the paced budgets that cover it, once it has an outcome; calls of judges are none."""
        if sums.judge_calls or sums.still_open:
            return
        for budget in self._paces:
            if budget.scope.covers(decision.tenant, decision.context.task):
                self.paced[budget.name].add(sums)


async def gathered(trails: AsyncIterator[Trail], into: Gathering, period: Period, show: Progress | None = None) -> None:
    """Takes in a log, up to where the month is surely over; tells now and then how many rows were read.

    Raises:
        StoreError: the log cannot be read.
    """
    rows = 0
    async for trail in trails:
        if trail.decision.at >= period.ends_at + _LATE_S:
            return
        into.add(trail)
        rows += 1
        if show is not None and rows % _SHOWN_EVERY == 0:
            show(rows, None)


def sums_of(trail: Trail) -> Sums:
    """What one decision amounts to."""
    outcome, judging = trail.outcome, is_judging(trail.decision.context.task)
    sums = Sums(requests=int(not judging), judge_calls=int(judging))
    if outcome is None:
        sums.still_open = 1
        return sums
    sums.failed = int(not outcome.ok)
    sums.picos = picos(outcome.cost_usd)
    if outcome.estimated:
        sums.estimated, sums.estimated_picos = 1, sums.picos
    if outcome.usage is None:
        sums.unmetered = 1
    else:
        sums.input_tokens, sums.output_tokens = outcome.usage.input_tokens, outcome.usage.output_tokens
    if trail.feedback and not judging:
        sums.judge(statistics.fmean(each.quality for each in trail.feedback))
    return sums


def _is_drawn(trail: Trail) -> bool:
    return not trail.decision.pinned and not is_judging(trail.decision.context.task)


def _by_model(trail: Trail, sums: Sums) -> Iterator[tuple[str, Sums]]:
    """The decision's sums, shared out among the models that it called."""
    outcome, chosen = trail.outcome, trail.decision.chosen
    if outcome is None:
        yield chosen, sums
        return
    main = outcome.served or chosen
    elsewhere = _called_besides(outcome, main)
    yield main, _less(sums, sum(elsewhere.values()), outcome.estimated)
    for model, amount in elsewhere.items():
        estimated = amount if outcome.estimated else 0
        yield model, Sums(picos=amount, estimated_picos=estimated)


def _called_besides(outcome: Outcome, main: str) -> Mapping[str, int]:
    """1e-12 dollars of the calls of other models than the one that the decision counts for."""
    if len(outcome.attempts) < 2:
        return {}
    found = Counter[str]()
    for each in outcome.attempts:
        if each.model != main and each.cost_usd:
            found[each.model] += picos(each.cost_usd)
    return found


def _less(sums: Sums, amount: int, estimated: bool) -> Sums:
    """The same with so much less spent."""
    if not amount:
        return sums
    return replace(sums, picos=sums.picos - amount, estimated_picos=sums.estimated_picos - (amount if estimated else 0))
