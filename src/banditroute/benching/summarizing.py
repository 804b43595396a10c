"""From finished calls to what a benchmark found: a row for each model and task, and the differences."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from banditroute.benching.calls import CallKey, FinishedCall
from banditroute.benching.comparing import Pair, differences
from banditroute.benching.grading import Weighing
from banditroute.benching.intervals import bounded_mean, mean, quantile
from banditroute.benching.planning import BenchPlan
from banditroute.benching.results import ALL_TASKS, BenchResult, BenchRow, Difference, Measure
from banditroute.benching.running import Ran

Floats = NDArray[np.float64]

_MEASURES: tuple[Measure, ...] = ("quality", "cost_usd", "latency_s")


def summarize(plan: BenchPlan, ran: Ran, weighing: Weighing) -> BenchResult:
    """What the finished calls say."""
    book = _Book(plan, ran.calls, weighing)
    tasks = tuple(sorted(set(plan.tasks)))
    shown = (ALL_TASKS, *tasks) if len(tasks) > 1 else (ALL_TASKS,)
    return BenchResult(
        name=plan.prompts.name,
        prompts=len(plan.prompts.rows),
        repeats=plan.repeats,
        models=plan.models,
        tasks=tasks,
        rows=tuple(book.row(model, task) for task in (ALL_TASKS, *tasks) for model in plan.models),
        differences=_differences(book, shown),
        spent_usd=ran.spent_usd,
        judging_usd=ran.judging_usd,
        planned=plan.planned,
        done=len(ran.calls),
        notes=(*ran.stops, *_notes(plan, ran.calls)),
    )


def _differences(book: _Book, tasks: tuple[str, ...]) -> tuple[Difference, ...]:
    """Two families: all prompts by every measure, and quality task by task."""
    rng = np.random.default_rng(0)
    whole = [pair for measure in _MEASURES for pair in book.pairs(measure, ALL_TASKS)]
    parts = [pair for task in tasks if task != ALL_TASKS for pair in book.pairs("quality", task)]
    return differences(whole, rng) + differences(parts, rng)


@dataclass(frozen=True, slots=True)
class _Figures:
    """One model's figures (n, R), nan where unknown."""

    quality: Floats
    cost_usd: Floats
    latency_s: Floats


class _Book:
    """The finished calls as arrays: n prompts, R turns."""

    def __init__(self, plan: BenchPlan, calls: Mapping[CallKey, FinishedCall], weighing: Weighing) -> None:
        self._plan = plan
        self._weighing = weighing
        self._calls = {
            model: {(row, turn): call for row, turn in plan.turns() if (call := calls.get(plan.key(row, model, turn)))}
            for model in plan.models
        }
        self._figures = {model: self._arrays(model) for model in plan.models}

    def row(self, model: str, task: str) -> BenchRow:
        """One model's row for a task class, or for all."""
        mask = self._mask(task)
        calls = [call for (row, _), call in self._calls[model].items() if mask[row]]
        figures = self._figures[model]
        latency_s = _known(figures.latency_s[mask].ravel())
        return BenchRow(
            model=model,
            task=task,
            prompts=len({call.key.id for call in calls}),
            calls=len(calls),
            answered=sum(call.answered for call in calls),
            graded=len(_known(figures.quality[mask].ravel())),
            quality=bounded_mean(_known(_by_prompt(figures.quality[mask])), 0.0, 1.0),
            cost_usd=mean(_known(_by_prompt(figures.cost_usd[mask])), least=0.0),
            total_usd=sum(call.spent_usd for call in calls),
            latency_p50_s=quantile(latency_s, 0.5),
            latency_p95_s=quantile(latency_s, 0.95),
            failures=dict(Counter(call.failure for call in calls if call.failure).most_common()),
        )

    def pairs(self, measure: Measure, task: str) -> Iterator[Pair]:
        """Every two models, compared on the prompts of a task class."""
        mask = self._mask(task)
        means = {model: _by_prompt(self._measured(model, measure)[mask]) for model in self._plan.models}
        for first, second in combinations(self._plan.models, 2):
            yield Pair(measure, first, second, task, self._spread(mask, means[first] - means[second]))

    def _measured(self, model: str, measure: Measure) -> Floats:
        figures = self._figures[model]
        return {"quality": figures.quality, "cost_usd": figures.cost_usd, "latency_s": figures.latency_s}[measure]

    def _spread(self, mask: NDArray[np.bool_], values: Floats) -> Floats:
        """The values at the rows of a mask, nan at all others: so that all pairs have one length."""
        spread = np.full(len(mask), np.nan)
        spread[mask] = values
        return spread

    def _mask(self, task: str) -> NDArray[np.bool_]:
        return np.array([task in (ALL_TASKS, each) for each in self._plan.tasks])

    def _arrays(self, model: str) -> _Figures:
        block = np.full((3, len(self._plan.prompts.rows), self._plan.repeats), np.nan)
        for (row, turn), call in self._calls[model].items():
            if call.answered:
                quality = self._weighing.quality(call.grades)
                block[:, row, turn - 1] = (_or_nan(quality), call.cost_usd, _or_nan(call.latency_s))
        return _Figures(*block)


def _notes(plan: BenchPlan, calls: Mapping[CallKey, FinishedCall]) -> Iterator[str]:
    """What a reader has to know beside the figures."""
    reasons = Counter(name for call in calls.values() for name in call.ungraded)
    for name, count in reasons.most_common():
        yield f"{name} could not grade {count} answers; they count in no quality by it"
    left = plan.planned - len(calls)
    if left:
        yield f"{left} of {plan.planned} calls are still to be made: run the same again to go on"


def _by_prompt(values: Floats) -> Floats:
    """Means (n,) over turns (n, R); nan where none is known."""
    known = ~np.isnan(values)
    counts = known.sum(axis=1)
    sums = np.where(known, values, 0.0).sum(axis=1)
    return np.divide(sums, counts, out=np.full(len(values), np.nan), where=counts > 0)


def _known(values: Floats) -> Floats:
    return values[~np.isnan(values)]


def _or_nan(value: float | None) -> float:
    return np.nan if value is None else value
