"""Who judged the newest answers, how they judged, and what their judging cost."""

import statistics
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from banditroute.records import Feedback
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


def sources_of(trails: Iterable[Trail]) -> tuple[SourceView, ...]:
    """The sources of the judgements of some decisions, sorted by name; a judge that gave none is among them."""
    feedback: defaultdict[str, list[Feedback]] = defaultdict(list)
    bills: defaultdict[str, list[float]] = defaultdict(list)
    for trail in trails:
        for each in trail.feedback:
            feedback[each.source].append(each)
        task = trail.decision.context.task
        if is_judging(task) and trail.outcome is not None:
            bills[task.removeprefix(JUDGE_TASK)].append(trail.outcome.cost_usd)
    return tuple(_source(name, feedback[name], bills[name]) for name in sorted({*feedback, *bills}))


def _source(name: str, judgements: list[Feedback], bills: list[float]) -> SourceView:
    quality = statistics.fmean(each.quality for each in judgements) if judgements else None
    weight = statistics.fmean(each.weight for each in judgements) if judgements else None
    return SourceView(name, len(judgements), quality, weight, len(bills), sum(bills))
