"""The JSON of `banditroute tune --json`: a promise to those who script it, so add freely and rename nothing."""

import math
import sys
from typing import TypedDict

import orjson

from banditroute.evaluation.results import Interval
from banditroute.simulation.results import Frontier
from banditroute.tuning.results import FrontierPoint, Recommendation, TargetBudget, TaskSplit, Traffic, Tuning

_JSON = orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE

Ends = list[float | None]


class PointDocument(TypedDict):
    """What one budget buys; quality_per_usd is of one more dollar per request."""

    budget_usd: float
    quality: float
    quality_ci90: Ends
    cost_usd: float
    worst_utilisation: float
    quality_per_usd: float
    share: dict[str, float]


class TargetDocument(TypedDict):
    """The budget that reaches a quality; an end of ci90 is null where no budget tried bounds it above."""

    target_quality: float
    budget_usd: float | None
    ci90: Ends
    confident_usd: float | None
    confidence: float
    best_quality: float


class TaskDocument(TypedDict):
    """Where a budget goes: one task class."""

    task: str
    requests_share: float
    dollars_share: float
    usd_per_request: float
    quality: float
    share: dict[str, float]


class RecommendationDocument(TypedDict):
    """The answer to one question; target is null where a budget was asked about."""

    question: str
    point: PointDocument
    usd_per_month: float | None
    sentences: list[str]
    config_lines: str
    tasks: list[TaskDocument]
    target: TargetDocument | None


class CurveDocument(TypedDict):
    """A curve to hold the frontier against, from its cheapest point to its dearest."""

    cost_usd: list[float]
    quality: list[float]


class TrafficDocument(TypedDict):
    """Dollars a month of each point of the frontier, at one volume."""

    requests_per_day: float
    usd_per_month: list[float]


class TuningDocument(TypedDict):
    """The whole answer; envelope and oracle are null for a log."""

    source: str
    kind: str
    warmup: str | None
    requests: int
    models: list[str]
    seeds: int
    frontier: list[PointDocument]
    envelope: CurveDocument | None
    oracle: CurveDocument | None
    targets: list[TargetDocument]
    recommendations: list[RecommendationDocument]
    traffic: list[TrafficDocument]
    seconds: float
    notes: list[str]


def print_tuning(found: Tuning) -> None:
    """Prints the result alone; what is not a number is null."""
    sys.stdout.write(orjson.dumps(tuning_json(found), option=_JSON).decode())


def tuning_json(found: Tuning) -> TuningDocument:
    """The result as plain values, ready to be written as JSON."""
    return {
        "source": found.source,
        "kind": found.kind,
        "warmup": found.warmup,
        "requests": found.requests,
        "models": list(found.models),
        "seeds": found.seeds,
        "frontier": [_point(each) for each in found.frontier],
        "envelope": _curve(found.envelope),
        "oracle": _curve(found.oracle),
        "targets": [_target(each) for each in found.targets],
        "recommendations": [_recommendation(each) for each in found.recommendations],
        "traffic": [_traffic(each) for each in found.traffic],
        "seconds": found.seconds,
        "notes": list(found.notes),
    }


def _recommendation(each: Recommendation) -> RecommendationDocument:
    return {
        "question": each.question,
        "point": _point(each.point),
        "usd_per_month": each.usd_per_month,
        "sentences": list(each.sentences),
        "config_lines": each.config_lines,
        "tasks": [_task(task) for task in each.tasks],
        "target": None if each.target is None else _target(each.target),
    }


def _point(point: FrontierPoint) -> PointDocument:
    return {
        "budget_usd": point.budget_usd,
        "quality": point.quality,
        "quality_ci90": _ends(point.quality_ci90),
        "cost_usd": point.cost_usd,
        "worst_utilisation": point.worst_utilisation,
        "quality_per_usd": point.quality_per_usd,
        "share": dict(point.share),
    }


def _target(target: TargetBudget) -> TargetDocument:
    return {
        "target_quality": target.target_quality,
        "budget_usd": target.budget_usd,
        "ci90": _ends(target.ci90),
        "confident_usd": target.confident_usd,
        "confidence": target.confidence,
        "best_quality": target.best_quality,
    }


def _task(task: TaskSplit) -> TaskDocument:
    return {
        "task": task.task,
        "requests_share": task.requests_share,
        "dollars_share": task.dollars_share,
        "usd_per_request": task.usd_per_request,
        "quality": task.quality,
        "share": dict(task.share),
    }


def _curve(curve: Frontier | None) -> CurveDocument | None:
    return None if curve is None else {"cost_usd": curve.cost_usd.tolist(), "quality": curve.quality.tolist()}


def _traffic(traffic: Traffic) -> TrafficDocument:
    return {"requests_per_day": traffic.requests_per_day, "usd_per_month": list(traffic.usd_per_month)}


def _ends(interval: Interval) -> Ends:
    return [end if math.isfinite(end) else None for end in interval]
