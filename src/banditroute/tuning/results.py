"""What tuning found: the learned policy's cost-quality frontier and what to write into router.toml."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from banditroute.evaluation.results import Interval
from banditroute.simulation.results import Frontier


@dataclass(frozen=True, slots=True)
class FrontierPoint:
    """What one budget buys.

    Attributes:
        budget_usd: dollars per request asked for.
        quality: mean; quality_ci90 its interval: stream orders and the rows of the table both counted as chance.
        cost_usd: mean dollars per request that were spent.
        worst_utilisation: the worst stream order's spend over the budget.
        quality_per_usd: marginal quality points (of 1) that one more dollar per request buys here.
        share: each model's share of requests.
    """

    budget_usd: float
    quality: float
    quality_ci90: Interval
    cost_usd: float
    worst_utilisation: float
    quality_per_usd: float
    share: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class TargetBudget:
    """The budget that reaches a quality.

    Attributes:
        target_quality: what was asked for.
        budget_usd: the cheapest dollars per request whose expected quality reaches it on this traffic; None where no
            budget does.
        ci90: with 90% confidence the cheapest budget that reaches it on further traffic of the same kind lies here; an
            end is infinite where no budget that was tried bounds it.
        confident_usd: the least budget that reaches it with the confidence asked for; None where none does.
        confidence: that confidence, 0.9 unless asked otherwise.
        best_quality: what the frontier's dearest point gets.
    """

    target_quality: float
    budget_usd: float | None
    ci90: Interval
    confident_usd: float | None
    confidence: float
    best_quality: float

    @property
    def sentence(self) -> str:
        """That no budget reaches it, where none does; empty otherwise."""
        if self.budget_usd is not None:
            return ""
        return (
            f"No budget that was tried reaches a quality of {self.target_quality:g} here: the dearest gets "
            f"{self.best_quality:.3f}."
        )


@dataclass(frozen=True, slots=True)
class TaskSplit:
    """Where a budget goes: one task class.

    Attributes:
        task: its name.
        requests_share: share of requests.
        dollars_share: share of dollars.
        usd_per_request: dollars per request of the class.
        quality: mean quality of the class.
        share: each model's share of the class.
    """

    task: str
    requests_share: float
    dollars_share: float
    usd_per_request: float
    quality: float
    share: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Recommendation:
    """What to do for one question (a target quality or a budget).

    Attributes:
        question: in words, such as "quality of 0.92".
        point: what the recommended budget buys.
        usd_per_month: at the forecast traffic; None without a forecast.
        sentences: what a manager reads.
        config_lines: exactly what to paste into router.toml.
        tasks: the split of the budget over task classes.
        target: where a quality was asked for.
    """

    question: str
    point: FrontierPoint
    usd_per_month: float | None
    sentences: tuple[str, ...]
    config_lines: str
    tasks: tuple[TaskSplit, ...]
    target: TargetBudget | None = None


@dataclass(frozen=True, slots=True)
class Traffic:
    """What budgets cost a month at one volume of traffic.

    Attributes:
        requests_per_day: how many.
        usd_per_month: for each frontier point, in the same order (30.44 days).
    """

    requests_per_day: float
    usd_per_month: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Tuning:
    """All that tuning found on one table or log.

    Attributes:
        source: the table's or log's name; kind: "table" or "log".
        warmup: the warm-up table's name, if any.
        requests: rows.
        models: names.
        seeds: stream orders per point.
        frontier: points from the cheapest budget to the dearest.
        envelope: best mixes of two fixed models; oracle: perfect foresight; None for a log.
        targets: every quality that was asked for, reached or not.
        recommendations: one for each question that has an answer, in the order asked.
        traffic: sensitivity to forecast traffic; empty without a forecast.
        seconds: time it took.
        notes: plain sentences for the reader.
    """

    source: str
    kind: str
    warmup: str | None
    requests: int
    models: tuple[str, ...]
    seeds: int
    frontier: tuple[FrontierPoint, ...]
    envelope: Frontier | None
    oracle: Frontier | None
    targets: tuple[TargetBudget, ...]
    recommendations: tuple[Recommendation, ...]
    traffic: tuple[Traffic, ...]
    seconds: float
    notes: tuple[str, ...]
