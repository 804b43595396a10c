"""Who judged answers, how they judged, and what their judging cost."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from banditroute.routing.tasks import JUDGE_TASK, is_judging
from banditroute.storage.protocol import Trail


@dataclass(frozen=True, slots=True)
class SourceView:
    """One source of judgements.

    Attributes:
        source: a grader's or a judge's name, or users'.
        judged: how many answers it judged.
        quality: their mean.
        weight: the mean of how much its judgements count.
        calls: calls that were made for it, if it is a judge; cost_usd: what they cost.
    """

    source: str
    judged: int
    quality: float | None
    weight: float | None
    calls: int
    cost_usd: float


@dataclass(slots=True)
class _Sums:
    judged: int = 0
    quality: float = 0.0
    weight: float = 0.0
    calls: int = 0
    cost_usd: float = 0.0

    def view(self, source: str) -> SourceView:
        """The means."""
        quality, weight = (self.quality / self.judged, self.weight / self.judged) if self.judged else (None, None)
        return SourceView(source, self.judged, quality, weight, self.calls, self.cost_usd)


def sources_of(trails: Iterable[Trail]) -> tuple[SourceView, ...]:
    """The sources of the judgements of some decisions, sorted by name; a judge that gave none is among them."""
    tally = SourceTally()
    for trail in trails:
        tally.add(trail)
    return tally.views()


class SourceTally:
    """Sums by source, of decisions as they stream by."""

    def __init__(self) -> None:
        self._sums: dict[str, _Sums] = {}

    def add(self, trail: Trail) -> None:
        """Takes in how a decision was judged or, if it is a judge's call, what it cost."""
        for each in trail.feedback:
            sums = self._of(each.source)
            sums.judged += 1
            sums.quality += each.quality
            sums.weight += each.weight
        task = trail.decision.context.task
        if is_judging(task) and trail.outcome is not None:
            sums = self._of(task.removeprefix(JUDGE_TASK))
            sums.calls += 1
            sums.cost_usd += trail.outcome.cost_usd

    def views(self) -> tuple[SourceView, ...]:
        """Every source, sorted by name; a judge that gave no judgement is among them."""
        return tuple(sums.view(name) for name, sums in sorted(self._sums.items()))

    def _of(self, source: str) -> _Sums:
        return self._sums.setdefault(source, _Sums())
