"""The JSON of `banditroute evaluate --json`: a promise to those who script it, so add freely and rename nothing."""

import math
import sys
from collections.abc import Sequence
from typing import Any, TypedDict

import orjson

from banditroute.evaluation.results import Estimate, Evaluation, Interval, Logged, Target, Value
from banditroute.evaluation.shadow import Change, ShadowComparison

_JSON = orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE

Ends = list[float | None]


class GainDocument(TypedDict):
    """The estimate less what was logged on the same rows."""

    mean: float | None
    ci95: Ends
    anytime95: Ends | None


class ValueDocument(TypedDict):
    """One signal: ci95 holds for one look, anytime95 for every look; null where the estimator has none."""

    mean: float | None
    ci95: Ends
    anytime95: Ends | None
    gain: GainDocument
    rows: int


class EstimateDocument(TypedDict):
    """One policy by one estimator; quality is null where nobody judged."""

    policy: str
    estimator: str
    quality: ValueDocument | None
    cost_usd: ValueDocument
    latency_s: ValueDocument


class PolicyDocument(TypedDict):
    """One policy, and how far the log carries it."""

    policy: str
    ess: float
    ess_judged: float
    max_weight: float
    mean_weight: float
    unseen_share: float
    carries: bool
    verdict: str
    overlap: list[dict[str, Any]]


class MeasuredDocument(TypedDict):
    """A mean of what was logged, with its 95% interval."""

    mean: float
    ci95: Ends


class LoggedDocument(TypedDict):
    """What a logging policy got on its own traffic; quality is null where nobody judged."""

    policy: str
    rows: int
    drawn: int
    judged: int
    quality: MeasuredDocument | None
    cost_usd: MeasuredDocument
    latency_s: MeasuredDocument


class ChangeDocument(TypedDict):
    """What turning a shadow on changes, per request, with its 95% interval."""

    mean: float
    ci95: Ends


class ShadowDocument(TypedDict):
    """A shadow held against what was done; safe is null where too little is known to say either."""

    name: str
    decisions: int
    drawn: int
    agreement: float
    win_rate: float
    tie_rate: float
    cheaper_rate: float
    quality_gain: ChangeDocument
    saved_usd: ChangeDocument
    basis: str
    safe: bool | None
    verdict: str


class EvaluationDocument(TypedDict):
    """The whole answer; ess, max_weight and verdict are those of the first policy; the numbers null without one."""

    log: str
    models: list[str]
    rows: int
    used: int
    ess: float | None
    max_weight: float | None
    estimates: list[EstimateDocument]
    verdict: str
    policies: list[PolicyDocument]
    logged: list[LoggedDocument]
    shadows: list[ShadowDocument]
    set_aside: list[dict[str, Any]]
    notes: list[str]


def print_evaluation(found: Evaluation, shadows: Sequence[ShadowComparison]) -> None:
    """Prints the result alone; what is not a number is null."""
    sys.stdout.write(orjson.dumps(evaluation_json(found, shadows), option=_JSON).decode())


def evaluation_json(found: Evaluation, shadows: Sequence[ShadowComparison]) -> EvaluationDocument:
    """The result as plain values, ready to be written as JSON."""
    first = found.targets[0] if found.targets else None
    verdicts = [each.verdict for each in (*found.targets, *shadows)]
    return {
        "log": found.log,
        "models": list(found.models),
        "rows": found.rows,
        "used": found.used,
        "ess": None if first is None else first.ess,
        "max_weight": None if first is None else first.max_weight,
        "estimates": [_estimate(each) for each in found.estimates],
        "verdict": verdicts[0] if verdicts else "",
        "policies": [_policy(each) for each in found.targets],
        "logged": [_logged(each) for each in found.logged],
        "shadows": [_shadow(each) for each in shadows],
        "set_aside": [
            {"reason": each.reason, "rows": each.rows, "first_line": each.first_line} for each in found.set_aside
        ],
        "notes": list(found.notes),
    }


def _estimate(each: Estimate) -> EstimateDocument:
    return {
        "policy": each.policy,
        "estimator": each.estimator,
        "quality": None if each.quality is None else _value(each.quality),
        "cost_usd": _value(each.cost_usd),
        "latency_s": _value(each.latency_s),
    }


def _value(value: Value) -> ValueDocument:
    return {
        "mean": _finite(value.mean),
        "ci95": _ends(value.ci95),
        "anytime95": None if value.anytime95 is None else _ends(value.anytime95),
        "gain": {
            "mean": _finite(value.gain),
            "ci95": _ends(value.gain_ci95),
            "anytime95": None if value.gain_anytime95 is None else _ends(value.gain_anytime95),
        },
        "rows": value.rows,
    }


def _policy(each: Target) -> PolicyDocument:
    return {
        "policy": each.policy,
        "ess": each.ess,
        "ess_judged": each.ess_judged,
        "max_weight": each.max_weight,
        "mean_weight": each.mean_weight,
        "unseen_share": each.unseen_share,
        "carries": each.carries,
        "verdict": each.verdict,
        "overlap": [
            {
                "model": one.model,
                "logged_share": one.logged_share,
                "target_share": one.target_share,
                "matched": one.matched,
                "ess": one.ess,
                "max_weight": one.max_weight,
                "unseen_share": one.unseen_share,
            }
            for one in each.overlap
        ],
    }


def _logged(each: Logged) -> LoggedDocument:
    return {
        "policy": each.policy,
        "rows": each.rows,
        "drawn": each.drawn,
        "judged": each.judged,
        "quality": None if each.quality is None else _measured(*each.quality),
        "cost_usd": _measured(*each.cost_usd),
        "latency_s": _measured(*each.latency_s),
    }


def _measured(mean: float, interval: Interval) -> MeasuredDocument:
    return {"mean": mean, "ci95": _ends(interval)}


def _shadow(each: ShadowComparison) -> ShadowDocument:
    return {
        "name": each.shadow,
        "decisions": each.decisions,
        "drawn": each.drawn,
        "agreement": each.agreement,
        "win_rate": each.win_rate,
        "tie_rate": each.tie_rate,
        "cheaper_rate": each.cheaper_rate,
        "quality_gain": _change(each.quality_gain),
        "saved_usd": _change(each.saved_usd),
        "basis": each.basis,
        "safe": each.safe,
        "verdict": each.verdict,
    }


def _change(change: Change) -> ChangeDocument:
    return {"mean": change.mean, "ci95": _ends(change.ci95)}


def _ends(interval: Interval) -> Ends:
    return [_finite(end) for end in interval]


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
