"""The JSON of `banditroute bench --json`: a promise to those who script it, so add freely and rename nothing."""

import math
from typing import Any, TypedDict

import orjson

from banditroute.benching.estimating import CostEstimate, ModelEstimate
from banditroute.benching.results import BenchResult, BenchRow, Difference, Estimate

_JSON = orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE


class EstimateDocument(TypedDict):
    """What the calls that are to be made will cost; most_usd is null where nothing bounds it."""

    calls: int
    low_usd: float
    likely_usd: float
    most_usd: float | None
    judging_usd: float
    spent_usd: float
    models: list[dict[str, Any]]


class FigureDocument(TypedDict):
    """A figure; an end of its interval is null where too little is known."""

    value: float | None
    ci95: list[float | None]


class RowDocument(TypedDict):
    """One model on one task class; task is null for all prompts."""

    model: str
    task: str | None
    prompts: int
    calls: int
    answered: int
    graded: int
    quality: FigureDocument | None
    cost_usd: FigureDocument | None
    total_usd: float
    latency_p50_s: FigureDocument | None
    latency_p95_s: FigureDocument | None
    failures: dict[str, int]


class DifferenceDocument(TypedDict):
    """Two models by one measure: first minus second; task is null for all prompts."""

    measure: str
    first: str
    second: str
    task: str | None
    prompts: int
    difference: FigureDocument
    p_value: float
    shown: bool
    verdict: str


class BenchDocument(TypedDict):
    """The whole answer."""

    name: str
    prompts: int
    repeats: int
    complete: bool
    planned: int
    done: int
    spent_usd: float
    judging_usd: float
    models: list[str]
    tasks: list[str]
    rows: list[RowDocument]
    differences: list[DifferenceDocument]
    notes: list[str]
    estimate: EstimateDocument


def estimate_text(estimate: CostEstimate) -> str:
    """An estimate alone, as `--dry-run --json` prints it."""
    return orjson.dumps({"estimate": _estimate(estimate)}, option=_JSON).decode()


def result_text(result: BenchResult, estimate: CostEstimate) -> str:
    """What was found, and what it was expected to cost before."""
    document = BenchDocument(
        name=result.name,
        prompts=result.prompts,
        repeats=result.repeats,
        complete=result.complete,
        planned=result.planned,
        done=result.done,
        spent_usd=result.spent_usd,
        judging_usd=result.judging_usd,
        models=list(result.models),
        tasks=list(result.tasks),
        rows=[_row(row) for row in result.rows],
        differences=[_difference(each) for each in result.differences],
        notes=list(result.notes),
        estimate=_estimate(estimate),
    )
    return orjson.dumps(document, option=_JSON).decode()


def _estimate(estimate: CostEstimate) -> EstimateDocument:
    return EstimateDocument(
        calls=estimate.calls,
        low_usd=estimate.low_usd,
        likely_usd=estimate.likely_usd,
        most_usd=_finite(estimate.most_usd),
        judging_usd=estimate.judging.likely_usd,
        spent_usd=estimate.spent_usd,
        models=[_model(each) for each in estimate.models],
    )


def _model(each: ModelEstimate) -> dict[str, Any]:
    return {
        "model": each.model,
        "calls": each.calls,
        "unfit": each.unfit,
        "input_tokens": each.input_tokens,
        "answer_tokens": each.answer_tokens,
        "answer_tokens_seen": each.seen,
        "low_usd": each.low_usd,
        "likely_usd": each.likely_usd,
        "most_usd": _finite(each.most_usd),
    }


def _row(row: BenchRow) -> RowDocument:
    return RowDocument(
        model=row.model,
        task=row.task or None,
        prompts=row.prompts,
        calls=row.calls,
        answered=row.answered,
        graded=row.graded,
        quality=_figure(row.quality),
        cost_usd=_figure(row.cost_usd),
        total_usd=row.total_usd,
        latency_p50_s=_figure(row.latency_p50_s),
        latency_p95_s=_figure(row.latency_p95_s),
        failures=dict(row.failures),
    )


def _difference(each: Difference) -> DifferenceDocument:
    return DifferenceDocument(
        measure=each.measure,
        first=each.first,
        second=each.second,
        task=each.task or None,
        prompts=each.prompts,
        difference=_known(each.mean),
        p_value=each.p_value,
        shown=each.shown,
        verdict=each.verdict,
    )


def _figure(figure: Estimate | None) -> FigureDocument | None:
    return None if figure is None else _known(figure)


def _known(figure: Estimate) -> FigureDocument:
    return FigureDocument(value=_finite(figure.value), ci95=[_finite(figure.low), _finite(figure.high)])


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
