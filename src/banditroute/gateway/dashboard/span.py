"""A stretch of the past as the dashboard shows it: traffic, dollars, shares and judgements, bin by bin and in sum."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from banditroute.gateway.dashboard.ring import Ring, Stretch, Tally
from banditroute.reports.store.history import wilson

_MOST_POINTS = 240


@dataclass(frozen=True, slots=True)
class ModelSums:
    """What one model did in the whole span.

    Attributes:
        model: its name.
        answers: that it gave; share: of all; failed: calls of it that failed.
        usd_per_answer, seconds: means; None = it gave no answer.
        judged: answers that were judged; quality: their mean, between low and high with 95% confidence; None = none.
    """

    model: str
    answers: int
    share: float | None
    failed: int
    usd_per_answer: float | None
    seconds: float | None
    judged: int
    quality: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class Bins:
    """The same bin by bin: T bins in which anything happened.

    Attributes:
        at: (T,) when each begins, seconds since the epoch.
        requests, failed, spent_usd, judging_usd: (T,).
        answers: (K, T) of each model.
        judged: (T,); quality: (T,) their mean between low and high, None where there are none.
    """

    at: list[float]
    requests: list[int]
    failed: list[int]
    spent_usd: list[float]
    judging_usd: list[float]
    answers: list[list[int]]
    judged: list[int]
    quality: list[float | None]
    low: list[float | None]
    high: list[float | None]


@dataclass(frozen=True, slots=True)
class SpanView:
    """All of it.

    Attributes:
        name: what people call it; spans: what all are called.
        starts_at: its begin, seconds since the epoch; length_s: how long it is; bin_s: how long a bin is.
        requests, failed, spent_usd, judging_usd, judged: sums; quality, low, high: means as in `ModelSums`.
        models: (K,) from cheap to dear.
        edges: answers by task class and model.
        paces: of each budget, when it stood where: the instant, running mean of spend over budget, shadow price.
    """

    name: str
    spans: list[str]
    starts_at: float
    length_s: float
    bin_s: float
    requests: int
    failed: int
    spent_usd: float
    judging_usd: float
    judged: int
    quality: float | None
    low: float | None
    high: float | None
    models: list[ModelSums]
    bins: Bins
    edges: list[tuple[str, str, int]]
    paces: dict[str, list[tuple[float, float, float]]]


def span_view(
    ring: Ring,
    placed: Sequence[tuple[float, Stretch]],
    spans: Sequence[str],
    models: Sequence[str],
    paced: Sequence[str],
    now: float,
) -> SpanView:
    """What happened in a ring's time.

    Args:
        ring: says which time that is.
        placed: the stretches in which anything happened, oldest first, each with the instant at which it begins.
        spans: what all rings are called.
        models: from cheap to dear; those that are gone come after them.
        paced: names of paced budgets.
        now: the instant, seconds since the epoch.
    """
    stretches = [stretch for _, stretch in placed]
    names = list(dict.fromkeys([*models, *(model for each in stretches for model in each.models if model)]))
    sums = {name: _sum(stretches, name) for name in names}
    answers = sum(each.answers for each in sums.values())
    judged, quality = _judged(sums)
    bins = _bins(placed, names)
    return SpanView(
        name=ring.name,
        spans=list(spans),
        starts_at=now - ring.length_s,
        length_s=ring.length_s,
        bin_s=ring.width_s,
        requests=sum(bins.requests),
        failed=sum(bins.failed),
        spent_usd=sum(bins.spent_usd),
        judging_usd=sum(bins.judging_usd),
        judged=judged,
        quality=quality,
        low=_ends([judged], [quality])[0][0],
        high=_ends([judged], [quality])[1][0],
        models=[_model(name, sums[name], answers) for name in names],
        bins=bins,
        edges=[(task, model, count) for (task, model), count in _edges(stretches).items()],
        paces={name: _marks(stretches, name) for name in paced},
    )


def _sum(stretches: Sequence[Stretch], model: str) -> Tally:
    total = Tally()
    for each in stretches:
        tally = each.models.get(model)
        if tally is not None:
            total.add(tally)
    return total


def _judged(sums: Mapping[str, Tally]) -> tuple[int, float | None]:
    judged = sum(each.judged for each in sums.values())
    return judged, sum(each.quality for each in sums.values()) / judged if judged else None


def _model(name: str, sums: Tally, answers: int) -> ModelSums:
    quality = sums.quality / sums.judged if sums.judged else None
    low, high = _ends([sums.judged], [quality])
    return ModelSums(
        name,
        sums.answers,
        sums.answers / answers if answers else None,
        sums.failed,
        sums.spent_usd / sums.answers if sums.answers else None,
        sums.seconds_s / sums.answers if sums.answers else None,
        sums.judged,
        quality,
        low[0],
        high[0],
    )


def _bins(placed: Sequence[tuple[float, Stretch]], names: Sequence[str]) -> Bins:
    stretches = [stretch for _, stretch in placed]
    judged = [sum(tally.judged for tally in each.models.values()) for each in stretches]
    sums = [sum(tally.quality for tally in each.models.values()) for each in stretches]
    quality = [total / n if n else None for total, n in zip(sums, judged, strict=True)]
    low, high = _ends(judged, quality)
    return Bins(
        at=[at for at, _ in placed],
        requests=[each.requests for each in stretches],
        failed=[each.failed for each in stretches],
        spent_usd=[each.spent_usd for each in stretches],
        judging_usd=[each.judging_usd for each in stretches],
        answers=[[each.models[name].answers if name in each.models else 0 for each in stretches] for name in names],
        judged=judged,
        quality=quality,
        low=low,
        high=high,
    )


def _ends(judged: Sequence[int], quality: Sequence[float | None]) -> tuple[list[float | None], list[float | None]]:
    """Both ends of 95% intervals of means; None where there is nothing to tell them from."""
    means = np.array([np.nan if each is None else each for each in quality])
    low, high = wilson(means, np.array(judged, dtype=np.int64))
    known = [each is not None for each in quality]
    return (
        [end if is_known else None for end, is_known in zip(low.tolist(), known, strict=True)],
        [end if is_known else None for end, is_known in zip(high.tolist(), known, strict=True)],
    )


def _edges(stretches: Sequence[Stretch]) -> Counter[tuple[str, str]]:
    counts: Counter[tuple[str, str]] = Counter()
    for each in stretches:
        counts.update(each.edges)
    return counts


def _marks(stretches: Sequence[Stretch], budget: str) -> list[tuple[float, float, float]]:
    found = [mark for each in stretches if (mark := each.marks.get(budget)) is not None]
    return [(mark.at, mark.spent, mark.shadow_price) for mark in found[-_MOST_POINTS:]]
