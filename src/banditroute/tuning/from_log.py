"""Tuning on a decision log: what a policy that knows what the log taught would buy, estimated off-policy.

At each budget the policy gives every request the model whose expected quality, less its priced dollars, is best, by the
library's own posterior fitted without the request; the price is the one at which the budget is spent. What that would
have got is then estimated doubly robustly (Dudik et al., 2014), in quality and in dollars.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from banditroute.errors import InputError
from banditroute.evaluation.estimators import Sample, dr
from banditroute.evaluation.log import LogTable
from banditroute.evaluation.outcome_model import OutcomeModel, cross_fitted
from banditroute.evaluation.verdict import ENOUGH
from banditroute.evaluation.weights import carried_size, importance_weights
from banditroute.simulation.frontier import Choices
from banditroute.sweeping.executor import Executor, Tick, in_order
from banditroute.sweeping.serial import Serial

from .answering import Bought, answered, split_of
from .curve import Curve, cheapest
from .questions import Questions
from .results import TaskSplit, Tuning

Floats = NDArray[np.float64]
Progress = Callable[[int, int], None]

_BUDGETS = 25
_MOST_CLOSER = 8
_CLOSE = 1e-3  # of a budget, on the log scale
_HERE = Serial()


def tune_log(
    log: LogTable, questions: Questions, *, progress: Progress | None = None, executor: Executor = _HERE
) -> Tuning:
    """What budgets would have bought on a log's traffic, and which budget answers each question.

    Args:
        log: with propensities and judgements; rows without either take no part.
        questions: what is asked.
        progress: called with budgets done and budgets in all.
        executor: who does the work, see `banditroute.sweeping`.

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
    grid = _budgets(work, questions)
    with executor.crew(_point, work) as crew:
        points = dict(zip(grid, in_order(_told(crew.sweep(grid), len(grid), progress)), strict=True))
    for quality in questions.target_quality:
        _close_in(points, quality, work)
    found = answered(_curve(points), _bought(used.models, points), questions)
    return Tuning(
        source=log.name,
        kind="log",
        warmup=None,
        requests=used.rows,
        models=used.models,
        seeds=0,
        frontier=found.frontier,
        envelope=None,
        oracle=None,
        targets=found.targets,
        recommendations=found.recommendations,
        traffic=found.traffic,
        seconds=time.perf_counter() - started,
        notes=tuple(_notes(log, used, points)),
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
        of_class = [p[log.task_of == c].mean(0) if (log.task_of == c).any() else p[0] for c in range(len(log.tasks))]
        shares = [dict(zip(log.models, map(float, share), strict=True)) for share in of_class]
        tasks = split_of(log.tasks, log.task_of, quality, cost, shares)
        return _Point(quality, max(float(cost.mean()), 0.0), p.mean(0), carried_size(log, p, weight), tasks)


def _close_in(points: dict[float, _Point], quality: float, work: _Work) -> None:
    """Adds the budget that reaches a quality, so that what is recommended is a point of its own.

    Each new point may move the curve a little; a few of them settle it.
    """
    for _ in range(_MOST_CLOSER):
        budgets = np.array(sorted(points))
        budget = cheapest(budgets, _curve(points).means, quality)
        if not 0.0 < budget < np.inf or np.abs(np.log(budgets / budget)).min() < _CLOSE:
            return
        points[budget] = work.point(budget)


def _point(work: _Work, budget_usd: float, tick: Tick) -> _Point:
    """A share of the work: one budget."""
    del tick  # tuning counts budgets
    return work.point(budget_usd)


def _told(ended: Iterable[tuple[int, _Point]], budgets: int, progress: Progress | None) -> Iterator[tuple[int, _Point]]:
    """The points as they end, the number of them told on the way."""
    for done, each in enumerate(ended, start=1):
        if progress is not None:
            progress(done, budgets)
        yield each


def _curve(points: Mapping[float, _Point]) -> Curve:
    budgets = sorted(points)
    quality = np.stack([points[budget].quality for budget in budgets], axis=1)
    return Curve(np.array(budgets), quality, np.zeros((0, len(budgets))))


def _bought(models: tuple[str, ...], points: Mapping[float, _Point]) -> Bought:
    budgets = sorted(points)
    cost = np.array([points[budget].cost_usd for budget in budgets])
    share = np.stack([points[budget].share for budget in budgets])
    return Bought(models, cost, cost / np.array(budgets), share, tuple(points[budget].tasks for budget in budgets))


def _budgets(work: _Work, questions: Questions) -> list[float]:
    low, high = work.range_usd
    low = max(low, 1e-12)
    grid = np.geomspace(low, high, _BUDGETS).tolist() if high > low * (1.0 + 1e-9) else [low]
    return sorted({*grid, *questions.budget_usd})


def _notes(log: LogTable, used: LogTable, points: Mapping[float, _Point]) -> Iterator[str]:
    """Plain sentences on what took no part and what the log cannot carry."""
    if used.rows < log.rows:
        yield (
            f"{log.rows - used.rows:,} of {log.rows:,} decisions took no part: not left to chance, or not judged; that "
            "an answer was judged is taken not to depend on how good it was."
        )
    thin = sorted(budget for budget, point in points.items() if point.ess < ENOUGH)
    if thin:
        yield (
            f"At {len(thin)} of {len(points)} budgets the log is worth fewer than {ENOUGH:.0f} decisions of the "
            f"policy's own (${thin[0]:.3g} to ${thin[-1]:.3g}): what it says there is expected rather than seen."
        )
    yield "A router at work would learn on; this is what a policy buys that knows what the log taught, and no more."
