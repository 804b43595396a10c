"""From finished calls to what a benchmark found: a row for each model and task, and the differences."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from banditroute.benching.calls import CallKey, FinishedCall
from banditroute.benching.comparing import Pair, differences
from banditroute.benching.figures import Figures, Floats
from banditroute.benching.intervals import bounded_mean, mean, quantile
from banditroute.benching.planning import BenchPlan
from banditroute.benching.results import ALL_TASKS, BenchResult, BenchRow, Difference, Measure
from banditroute.benching.running import Ran

_MEASURES: tuple[Measure, ...] = ("quality", "cost_usd", "latency_s")


def summarize(plan: BenchPlan, ran: Ran, figures: Figures) -> BenchResult:
    """What the finished calls, and their figures, say."""
    book = _Book(plan, ran.calls, figures)
    tasks = tuple(sorted(set(plan.tasks)))
    return BenchResult(
        name=plan.prompts.name,
        prompts=len(plan.prompts.rows),
        repeats=plan.repeats,
        models=plan.models,
        tasks=tasks,
        rows=tuple(book.row(model, task) for task in (ALL_TASKS, *tasks) for model in plan.models),
        differences=_differences(book, tasks if len(tasks) > 1 else ()),
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
    parts = [pair for task in tasks for pair in book.pairs("quality", task)]
    return differences(whole, rng) + differences(parts, rng)


class _Book:
    """The finished calls and their figures, by model and task class."""

    def __init__(self, plan: BenchPlan, calls: Mapping[CallKey, FinishedCall], figures: Figures) -> None:
        self._models = plan.models
        self._tasks = plan.tasks
        self._task_of = {prompt.id: task for prompt, task in zip(plan.prompts.rows, plan.tasks, strict=True)}
        self._calls = calls
        self._figures = figures

    def row(self, model: str, task: str) -> BenchRow:
        """One model's row for a task class, or for all."""
        calls = self._calls_of(model, task)
        arm, mask, figures = self._models.index(model), self._mask(task), self._figures
        quality, cost_usd, latency_s = (
            each[mask, :, arm] for each in (figures.quality, figures.cost_usd, figures.latency_s)
        )
        return BenchRow(
            model=model,
            task=task,
            prompts=len({call.key.id for call in calls}),
            calls=len(calls),
            answered=sum(call.answered for call in calls),
            graded=len(_known(quality)),
            quality=bounded_mean(_known(_by_prompt(quality)), 0.0, 1.0),
            cost_usd=mean(_known(_by_prompt(cost_usd)), least=0.0),
            total_usd=math.fsum(call.spent_usd for call in calls),
            latency_p50_s=quantile(_known(latency_s), 0.5),
            latency_p95_s=quantile(_known(latency_s), 0.95),
            failures=dict(Counter(sorted(call.failure for call in calls if call.failure)).most_common()),
        )

    def pairs(self, measure: Measure, task: str) -> Iterator[Pair]:
        """Every two models, compared on the prompts of a task class; all pairs have one length."""
        figures: Floats = getattr(self._figures, measure)
        means = np.where(self._mask(task)[:, None], _by_prompt(figures), np.nan)
        for first, second in combinations(range(len(self._models)), 2):
            gaps = means[:, first] - means[:, second]
            yield Pair(measure, self._models[first], self._models[second], task, gaps)

    def _calls_of(self, model: str, task: str) -> list[FinishedCall]:
        mine = (call for key, call in self._calls.items() if key.model == model)
        return [call for call in mine if task in (ALL_TASKS, self._task_of[call.key.id])]

    def _mask(self, task: str) -> NDArray[np.bool_]:
        return np.array([task in (ALL_TASKS, each) for each in self._tasks])


def _notes(plan: BenchPlan, calls: Mapping[CallKey, FinishedCall]) -> Iterator[str]:
    """What a reader has to know beside the figures."""
    reasons = Counter(name for call in calls.values() for name in call.ungraded)
    for name, count in reasons.most_common():
        yield f"{name} could not grade {count} answers; they count in no quality by it"
    left = plan.planned - len(calls)
    if left:
        yield f"{left} of {plan.planned} calls are still to be made: run the same again to go on"


def _by_prompt(values: Floats) -> Floats:
    """Means over the turns, the second axis; nan where none is known."""
    counts = (~np.isnan(values)).sum(axis=1)
    sums = np.nansum(values, axis=1)
    return np.divide(sums, counts, out=np.full(sums.shape, np.nan), where=counts > 0)


def _known(values: Floats) -> Floats:
    """(k,) those that are not nan, whatever the shape."""
    return values[~np.isnan(values)]
