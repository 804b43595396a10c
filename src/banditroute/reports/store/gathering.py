"""From a log that streams by to its history; what is kept grows with models, classes and sources, not with rows."""

from __future__ import annotations

import math
import statistics
from collections import Counter, defaultdict
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import numpy as np

from banditroute.records import Decision, Outcome
from banditroute.reports.store.bins import Bins
from banditroute.reports.store.history import History, ModelRecord
from banditroute.reports.store.quantiles import Quantiles
from banditroute.reports.store.sources import SourceTally
from banditroute.routing.tasks import is_judging
from banditroute.storage.protocol import Trail


async def gathered(trails: AsyncIterator[Trail]) -> History:
    """The history of a log, read once.

    Raises:
        StoreError: the log cannot be read.
    """
    gathering = Gathering()
    async for trail in trails:
        gathering.add(trail)
    return gathering.history()


@dataclass(slots=True)
class _Model:
    chosen: int = 0
    served: int = 0
    stood_in: int = 0
    failed: int = 0
    spent_usd: float = 0.0
    judged: int = 0
    quality_sum: float = 0.0
    latency: Quantiles = field(default_factory=Quantiles)

    def record(self, name: str) -> ModelRecord:
        """What it did."""
        quality = self.quality_sum / self.judged if self.judged else math.nan
        return ModelRecord(
            name,
            self.chosen,
            self.served,
            self.stood_in,
            self.failed,
            self.spent_usd,
            self.judged,
            quality,
            self.latency.at(0.5),
            self.latency.at(0.95),
        )


class Gathering:
    """Sums over decisions, in any order."""

    def __init__(self) -> None:
        self._bins = Bins()
        self._models: defaultdict[str, _Model] = defaultdict(_Model)
        self._shares: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self._sources = SourceTally()

    def add(self, trail: Trail) -> None:
        """Takes a decision in."""
        self._sources.add(trail)
        decision, outcome = trail.decision, trail.outcome
        now = self._bins.at(decision.at)
        if is_judging(decision.context.task):
            now.judging_usd += 0.0 if outcome is None else outcome.cost_usd
            return
        now.requests += 1
        self._models[decision.chosen].chosen += 1
        if outcome is None:
            return
        now.answered += 1
        now.failed += not outcome.ok
        now.spent_usd += outcome.cost_usd
        for attempt in outcome.attempts:
            self._models[attempt.model].failed += bool(attempt.failure)
        if outcome.served:
            now.served[outcome.served] += 1
            self._serve(decision, outcome)
        if trail.feedback:
            quality = statistics.fmean(each.quality for each in trail.feedback)
            now.judged += 1
            now.quality_sum += quality
            self._judge(outcome.served, quality)

    def _serve(self, decision: Decision, outcome: Outcome) -> None:
        model = self._models[outcome.served]
        model.served += 1
        model.stood_in += outcome.served != decision.chosen
        model.spent_usd += outcome.cost_usd
        model.latency.add(outcome.latency_s)
        self._shares[decision.context.task][outcome.served] += 1

    def _judge(self, served: str, quality: float) -> None:
        if served:
            self._models[served].judged += 1
            self._models[served].quality_sum += quality

    def history(self) -> History:
        """All of it so far."""
        start_at, bins = self._bins.span()
        records = sorted((model.record(name) for name, model in self._models.items()), key=_cheap_first)
        judged = np.array([each.judged for each in bins], dtype=np.int64)
        sums = np.array([each.quality_sum for each in bins], dtype=np.float64)
        served = [[each.served[record.model] for record in records] for each in bins]
        return History(
            start_at=start_at,
            bin_s=float(self._bins.width_s),
            requests=np.array([each.requests for each in bins], dtype=np.int64),
            answered=np.array([each.answered for each in bins], dtype=np.int64),
            failed=np.array([each.failed for each in bins], dtype=np.int64),
            spent_usd=np.array([each.spent_usd for each in bins], dtype=np.float64),
            judging_usd=np.array([each.judging_usd for each in bins], dtype=np.float64),
            judged=judged,
            quality=np.divide(sums, judged, out=np.full(len(bins), np.nan), where=judged > 0),
            served=np.array(served, dtype=np.int64).reshape(len(bins), len(records)),
            models=tuple(records),
            shares={task: dict(counts) for task, counts in self._shares.items()},
            sources=self._sources.views(),
        )


def _cheap_first(record: ModelRecord) -> tuple[float, str]:
    return (record.usd_per_answer if record.served else math.inf, record.model)
