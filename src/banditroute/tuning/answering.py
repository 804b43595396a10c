"""From a curve to answers: points with intervals, the cheapest budget for a quality, and the words for both."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from banditroute.evaluation.results import Interval

from .curve import Curve, cheapest
from .questions import Questions
from .results import FrontierPoint, Recommendation, TargetBudget, TaskSplit, Traffic

Floats = NDArray[np.float64]

DAYS_PER_MONTH = 30.44
RESAMPLES = 1000
_SENSITIVITY = (0.5, 1.0, 2.0)
_CI90 = (5.0, 95.0)


@dataclass(frozen=True, slots=True, eq=False)
class Bought:
    """What each of P budgets bought, beside the curve: all that a point says and a curve does not.

    Attributes:
        models: (K,) names.
        cost_usd: (P,) mean dollars per request.
        worst_utilisation: (P,) the worst order's spend over the budget.
        share: (P, K).
        tasks: the split of each budget over task classes.
    """

    models: tuple[str, ...]
    cost_usd: Floats
    worst_utilisation: Floats
    share: Floats
    tasks: tuple[tuple[TaskSplit, ...], ...]


@dataclass(frozen=True, slots=True)
class Answered:
    """What one curve says to all questions; see `results.Tuning`."""

    frontier: tuple[FrontierPoint, ...]
    targets: tuple[TargetBudget, ...]
    recommendations: tuple[Recommendation, ...]
    traffic: tuple[Traffic, ...]


def answered(curve: Curve, bought: Bought, questions: Questions, *, number: int = RESAMPLES, seed: int = 0) -> Answered:
    """The answers to all questions; every budget that answers one is to be a point of the curve."""
    drawn = curve.resampled(number, np.random.default_rng(seed))
    points = tuple(_points(curve, bought, drawn))
    targets = tuple(_target(curve, drawn, quality, questions.confidence) for quality in questions.target_quality)

    def recommended(question: str, budget_usd: float, target: TargetBudget | None) -> Recommendation:
        i = int(np.abs(np.log(curve.budget_usd / budget_usd)).argmin())
        traffic = questions.requests_per_day
        month = None if traffic is None else _usd_per_month(points[i], traffic)
        sentences = tuple(_sentences(budget_usd, points[i], points[-1], month, questions, target))
        lines = config_lines(budget_usd, month)
        return Recommendation(question, points[i], month, sentences, lines, bought.tasks[i], target)

    reached = [(target, target.budget_usd) for target in targets if target.budget_usd is not None]
    return Answered(
        frontier=points,
        targets=targets,
        recommendations=(
            *(recommended(f"quality of {target.target_quality:g}", budget, target) for target, budget in reached),
            *(recommended(f"budget of ${budget:.4g} per request", budget, None) for budget in questions.budget_usd),
        ),
        traffic=_traffic(points, questions.requests_per_day),
    )


def _points(curve: Curve, bought: Bought, drawn: Floats) -> Iterator[FrontierPoint]:
    """What each budget buys, cheapest first."""
    low, high = np.percentile(drawn, _CI90, axis=0)
    means, slopes = curve.means, curve.slope()
    for i, budget in enumerate(curve.budget_usd):
        yield FrontierPoint(
            budget_usd=float(budget),
            quality=float(means[i]),
            quality_ci90=Interval(float(low[i]), float(high[i])),
            cost_usd=float(bought.cost_usd[i]),
            worst_utilisation=float(bought.worst_utilisation[i]),
            quality_per_usd=float(slopes[i]),
            share=dict(zip(bought.models, map(float, bought.share[i]), strict=True)),
        )


def _target(curve: Curve, drawn: Floats, quality: float, confidence: float) -> TargetBudget:
    """The cheapest budget that reaches a quality, and how sure that is."""
    budgets, means = curve.budget_usd, curve.means
    needed = np.array([cheapest(budgets, each, quality) for each in drawn])
    low, high = np.percentile(needed, _CI90, method="closest_observation")
    sure = cheapest(budgets, np.percentile(drawn, 100.0 * (1.0 - confidence), axis=0), quality)
    found = cheapest(budgets, means, quality)
    floor = float(budgets[0])
    return TargetBudget(
        target_quality=quality,
        budget_usd=max(found, floor) if math.isfinite(found) else None,
        ci90=Interval(max(float(low), floor) if low else 0.0, float(high)),
        confident_usd=max(sure, floor) if math.isfinite(sure) else None,
        confidence=confidence,
        best_quality=float(means[-1]),
    )


def split_of(
    tasks: Sequence[str],
    task_of: NDArray[np.int64],
    quality: Floats,
    cost_usd: Floats,
    share: Sequence[Mapping[str, float]],
) -> tuple[TaskSplit, ...]:
    """Where a budget goes, class by class; a class without requests is left out.

    Args:
        tasks: (C,) names.
        task_of: (n,) class of each request.
        quality: (n,) what each got.
        cost_usd: (n,) what each cost.
        share: each class's share of each model.
    """
    total = max(float(cost_usd.sum()), 1e-300)
    return tuple(
        TaskSplit(
            task=task,
            requests_share=float(rows.mean()),
            dollars_share=float(cost_usd[rows].sum()) / total,
            usd_per_request=float(cost_usd[rows].mean()),
            quality=float(quality[rows].mean()),
            share=share[c],
        )
        for c, task in enumerate(tasks)
        if (rows := task_of == c).any()
    )


def _usd_per_month(point: FrontierPoint, requests_per_day: float) -> float:
    """Dollars a month: what a short replay overspends at its beginning is not spent anew every day."""
    return min(point.cost_usd, point.budget_usd) * requests_per_day * DAYS_PER_MONTH


def _traffic(points: Sequence[FrontierPoint], requests_per_day: float | None) -> tuple[Traffic, ...]:
    """What budgets cost a month at half, all and twice the forecast traffic."""
    if requests_per_day is None:
        return ()
    volumes = [factor * requests_per_day for factor in _SENSITIVITY]
    return tuple(Traffic(volume, tuple(_usd_per_month(point, volume) for point in points)) for volume in volumes)


def config_lines(budget_usd: float, usd_per_month: float | None) -> str:
    """What to paste into router.toml: the paced average, and a cap a tenth above its month where one is forecast."""
    lines = f"[[budgets]]\nusd_per_request = {_decimals(budget_usd)}\n"
    if usd_per_month is not None:
        cap = _decimals(1.1 * usd_per_month)
        lines += f'\n[[budgets]]\nusd = {cap}\nper = "month"\non_exhausted = "cheapest"\n'
    return lines


def _decimals(amount: float) -> str:
    """Three figures, and never an exponent, which TOML readers take and people misread."""
    places = max(2 - math.floor(math.log10(amount)), 2)
    return f"{amount:.{places}f}"


def _sentences(
    budget_usd: float,
    point: FrontierPoint,
    best: FrontierPoint,
    month: float | None,
    questions: Questions,
    target: TargetBudget | None,
) -> Iterator[str]:
    """What a manager reads."""
    monthly = "" if month is None else f", ${month:,.0f} a month at {questions.requests_per_day:,.0f} requests a day,"
    quality = point.quality if target is None else target.target_quality
    yield f"${budget_usd:.3g} per request{monthly} buys a quality of {quality:.3f}."
    if target is not None:
        yield from _how_sure(target)
    gain = point.quality_per_usd / 1000.0
    yield (
        f"From there, one more dollar per thousand requests buys {100.0 * gain:.2g} points of quality (of 100); "
        f"the dearest budget tried, ${best.budget_usd:.3g}, buys {best.quality:.3f}."
    )


def _how_sure(target: TargetBudget) -> Iterator[str]:
    low, high = target.ci90
    least = f"${low:.3g}" if low > 0.0 else "the cheapest budget tried"
    most = f"${high:.3g}" if math.isfinite(high) else "more than any budget tried"
    yield f"On more traffic of this kind it takes, with 90% confidence, between {least} and {most}."
    if target.confident_usd is None:
        yield f"No budget that was tried reaches it with {target.confidence:.0%} confidence."
    else:
        yield f"To reach it with {target.confidence:.0%} confidence, set ${target.confident_usd:.3g}."
