"""From a curve to answers: points with intervals, the cheapest budget for a quality, and the words for both."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
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


class Answers:
    """Answers about one curve; the resamples are drawn once."""

    def __init__(self, curve: Curve, bought: Bought, rng: np.random.Generator, number: int = RESAMPLES) -> None:
        self._curve, self._bought = curve, bought
        self._drawn = curve.resampled(number, rng)

    def frontier(self) -> tuple[FrontierPoint, ...]:
        """What each budget buys, cheapest first."""
        low, high = np.percentile(self._drawn, _CI90, axis=0)
        means, slopes, bought = self._curve.means, self._curve.slope(), self._bought
        return tuple(
            FrontierPoint(
                budget_usd=float(budget),
                quality=float(means[i]),
                quality_ci90=Interval(float(low[i]), float(high[i])),
                cost_usd=float(bought.cost_usd[i]),
                worst_utilisation=float(bought.worst_utilisation[i]),
                quality_per_usd=float(slopes[i]),
                share=dict(zip(bought.models, map(float, bought.share[i]), strict=True)),
            )
            for i, budget in enumerate(self._curve.budget_usd)
        )

    def target(self, quality: float, confidence: float) -> TargetBudget:
        """The cheapest budget that reaches a quality, and how sure that is."""
        budgets, means = self._curve.budget_usd, self._curve.means
        drawn = np.array([cheapest(budgets, curve, quality) for curve in self._drawn])
        low, high = np.percentile(drawn, _CI90, method="closest_observation")
        sure = cheapest(budgets, np.percentile(self._drawn, 100.0 * (1.0 - confidence), axis=0), quality)
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

    def for_quality(self, target: TargetBudget, questions: Questions) -> Recommendation | None:
        """What to do for a quality; None where no budget reaches it."""
        if target.budget_usd is None:
            return None
        return self._recommendation(f"quality of {target.target_quality:g}", target.budget_usd, questions, target)

    def for_budget(self, budget_usd: float, questions: Questions) -> Recommendation:
        """What a budget buys."""
        return self._recommendation(f"budget of ${budget_usd:.4g} per request", budget_usd, questions, None)

    def _recommendation(
        self, question: str, budget_usd: float, questions: Questions, target: TargetBudget | None
    ) -> Recommendation:
        points = self.frontier()
        i = int(np.abs(np.log(self._curve.budget_usd / budget_usd)).argmin())  # the nearest budget that was replayed
        point = points[i]
        traffic = questions.requests_per_day
        month = None if traffic is None else budget_usd * traffic * DAYS_PER_MONTH
        sentences = tuple(_sentences(budget_usd, point, points[-1], month, questions, target))
        tasks = self._bought.tasks[i]
        return Recommendation(question, point, month, sentences, config_lines(budget_usd, month), tasks, target)


def traffic_of(points: Sequence[FrontierPoint], requests_per_day: float | None) -> tuple[Traffic, ...]:
    """What budgets cost a month at half, all and twice the forecast traffic."""
    if requests_per_day is None:
        return ()
    volumes = [factor * requests_per_day for factor in _SENSITIVITY]
    months = ([point.cost_usd * volume * DAYS_PER_MONTH for point in points] for volume in volumes)
    return tuple(Traffic(volume, tuple(dollars)) for volume, dollars in zip(volumes, months, strict=True))


def unreached(targets: Sequence[TargetBudget], dearest_usd: float) -> Iterator[str]:
    """A sentence for each quality that no budget reaches."""
    for target in targets:
        if target.budget_usd is None:
            yield (
                f"No budget reaches a quality of {target.target_quality:g} here: the dearest that was tried, "
                f"${dearest_usd:.3g} per request, gets {target.best_quality:.3f}."
            )


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
    monthly = "" if month is None else f", ${month:,.0f} a month at {questions.requests_per_day:,.0f} requests a day"
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
