"""Tuning on a decision log: what a policy that knows what the log taught would buy, estimated off-policy.

At each budget the policy gives every request the model whose expected quality, less its priced dollars, is best, by the
library's own posterior fitted without the request; the price is the one at which the budget is spent. What that would
have got is then estimated doubly robustly (Dudik et al., 2014), in quality and in dollars.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from banditroute.errors import InputError
from banditroute.evaluation.estimators import Sample, dr
from banditroute.evaluation.log import LogTable
from banditroute.evaluation.outcome_model import OutcomeModel, cross_fitted
from banditroute.evaluation.weights import carried_size, importance_weights
from banditroute.simulation.frontier import Choices

from .answering import Answers, Bought, traffic_of, unreached
from .curve import Curve
from .questions import Questions
from .results import TaskSplit, Tuning

Floats = NDArray[np.float64]
Progress = Callable[[int, int], None]

_BUDGETS = 25
_ENOUGH = 100.0


def tune_log(log: LogTable, questions: Questions, *, progress: Progress | None = None) -> Tuning:
    """What budgets would have bought on a log's traffic, and which budget answers each question.

    Args:
        log: with propensities and judgements; rows without either take no part.
        questions: what is asked.
        progress: called with budgets done and budgets in all.

    Raises:
        InputError: no decision was both left to chance and judged.
    """
    started = time.perf_counter()
    used = log.select(log.drawn & np.isfinite(log.quality))
    if used.rows == 0:
        raise InputError(
            "no decision was both left to chance and judged: nothing says what another budget would have bought",
            remedy="give feedback on decisions that a router draws, or tune on an outcome table",
            path=log.name,
        )
    work = _Work(used, cross_fitted(used))
    budgets = _budgets(work, questions)
    found: list[_Point] = []
    for done, budget in enumerate(budgets):
        if progress is not None:
            progress(done, len(budgets))
        found.append(work.point(budget))
    if progress is not None:
        progress(len(budgets), len(budgets))
    curve = Curve(np.array(budgets), np.stack([p.quality for p in found], axis=1), np.zeros((0, len(budgets))))
    cost = np.array([p.cost_usd for p in found])
    splits = tuple(p.tasks for p in found)
    bought = Bought(used.models, cost, cost / np.array(budgets), np.stack([p.share for p in found]), splits)
    answers = Answers(curve, bought, np.random.default_rng(0))
    points = answers.frontier()
    targets = [answers.target(quality, questions.confidence) for quality in questions.target_quality]
    recommended = [answers.for_quality(target, questions) for target in targets]
    return Tuning(
        source=log.name,
        kind="log",
        warmup=None,
        requests=used.rows,
        models=used.models,
        seeds=0,
        frontier=points,
        envelope=None,
        oracle=None,
        recommendations=(
            *(each for each in recommended if each is not None),
            *(answers.for_budget(budget, questions) for budget in questions.budget_usd),
        ),
        traffic=traffic_of(points, questions.requests_per_day),
        seconds=time.perf_counter() - started,
        notes=(*_notes(log, used, budgets, found), *unreached(targets, budgets[-1])),
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Point:
    """What one budget would have bought on m decisions.

    Attributes:
        quality: (m,) doubly robust terms.
        cost_usd: doubly robust mean dollars per request.
        share: (K,) of requests.
        ess: decisions of its own that the log is worth.
        tasks: the split over task classes.
    """

    quality: Floats
    cost_usd: float
    share: Floats
    ess: float
    tasks: tuple[TaskSplit, ...]


class _Work:
    """The log with what is expected of it; a policy for each budget."""

    def __init__(self, log: LogTable, model: OutcomeModel) -> None:
        self._log, self._model = log, model
        even = np.full(log.rows, 1.0 / log.rows)
        expected = np.where(log.eligible, model.quality, -np.inf), np.where(log.eligible, model.cost_usd, np.inf)
        self._choices = Choices(*expected, even)

    @property
    def range_usd(self) -> tuple[float, float]:
        """Dollars per request of the cheapest choice everywhere, and of the best one."""
        cheapest = self._choices.cost_usd.min(1).mean()
        best = self._choices.at_budget(None)
        return float(cheapest), float((best * np.where(best > 0, self._choices.cost_usd, 0.0)).sum(1).mean())

    def point(self, budget_usd: float) -> _Point:
        """What the budget would have bought."""
        log, p = self._log, self._choices.at_budget(budget_usd)
        weight = importance_weights(log, p)
        quality, cost = (
            dr(Sample(weight, reward, log.chosen, p, model)).numerator
            for reward, model in ((log.quality, self._model.quality), (log.cost_usd, self._model.cost_usd))
        )
        tasks = tuple(self._splits(p, quality, cost))
        return _Point(quality, max(float(cost.mean()), 0.0), p.mean(0), carried_size(log, p, weight), tasks)

    def _splits(self, p: Floats, quality: Floats, cost: Floats) -> Iterator[TaskSplit]:
        log, total = self._log, max(float(cost.sum()), 1e-300)
        for c, task in enumerate(log.tasks):
            rows = log.task_of == c
            if rows.any():
                share = dict(zip(log.models, map(float, p[rows].mean(0)), strict=True))
                means = float(cost[rows].mean()), float(quality[rows].mean())
                yield TaskSplit(task, float(rows.mean()), float(cost[rows].sum()) / total, *means, share)


def _budgets(work: _Work, questions: Questions) -> list[float]:
    low, high = work.range_usd
    low = max(low, 1e-12)
    grid = np.geomspace(low, high, _BUDGETS).tolist() if high > low * (1.0 + 1e-9) else [low]
    return sorted({*grid, *questions.budget_usd})


def _notes(log: LogTable, used: LogTable, budgets: list[float], found: list[_Point]) -> Iterator[str]:
    """Plain sentences on what took no part and what the log cannot carry."""
    if used.rows < log.rows:
        yield (
            f"{log.rows - used.rows:,} of {log.rows:,} decisions took no part: not left to chance, or not judged; that "
            "an answer was judged is taken not to depend on how good it was."
        )
    thin = [budget for budget, point in zip(budgets, found, strict=True) if point.ess < _ENOUGH]
    if thin:
        yield (
            f"At {len(thin)} of {len(budgets)} budgets the log is worth fewer than {_ENOUGH:.0f} decisions of the "
            f"policy's own (${thin[0]:.3g} to ${thin[-1]:.3g}): what it says there is expected rather than seen."
        )
    yield "A router at work would learn on; this is what a policy buys that knows what the log taught, and no more."
