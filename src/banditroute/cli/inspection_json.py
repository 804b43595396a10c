"""What a router has learned and spent, as JSON for machines; what is not a number is null."""

import sys
from collections.abc import Iterable

import orjson

from banditroute.cli.alarm_view import alarm_json
from banditroute.cli.inspection import failed_attempts, mean_quality
from banditroute.cli.promise_view import promise_json
from banditroute.evaluation.shadow import Change, ShadowComparison
from banditroute.reports.store.inspection import Inspection
from banditroute.reports.store.live import PaceView
from banditroute.reports.store.shadow import ShadowView
from banditroute.routing.accounts import Account
from banditroute.routing.pacers import CapOutlook
from banditroute.routing.standings import Standing
from banditroute.storage.protocol import Trail

_JSON = orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE
Value = dict[str, object]


def print_inspection(found: Inspection) -> None:
    """Prints what the documentation's table of keys lists."""
    _print(
        {
            "at": found.at,
            "prompt": {"input_tokens": found.prompt.input_tokens, "features": found.prompt.features},
            "edges": found.edges,
            "judged_elsewhere": found.judged_elsewhere,
            "newcomers": [_newcomer(each) for each in found.newcomers],
            "paces": [_pace(each) for each in found.paces],
            "caps": [_cap(each, found.outlooks) for each in found.accounts],
            "promises": [promise_json(each) for each in found.promises],
            "alarms": [alarm_json(each) for each in found.alarms],
            "open_decisions": found.open_decisions,
            "guards": found.guards,
            "sources": found.sources,
            "shadow": None if found.shadow is None else _shadow(found.shadow),
            "decisions": [_decision(each) for each in found.newest],
        }
    )


def print_trail(trail: Trail) -> None:
    """Prints `decision`, `outcome` and `feedback` with all their fields."""
    _print({"decision": trail.decision, "outcome": trail.outcome, "feedback": trail.feedback})


def _print(value: Value) -> None:
    sys.stdout.write(orjson.dumps(value, option=_JSON).decode())


def _pace(each: PaceView) -> Value:
    record = each.record
    return {
        "budget": each.budget.name,
        "scope": str(each.budget.scope),
        "usd_per_request": each.budget.usd_per_request,
        "shadow_price": each.shadow_price,
        "running_spend": None if record is None else record.spend,
        "bucket_level_requests": None if record is None else record.level,
        "bucket_requests": each.bucket_requests,
        "requests": 0 if record is None else record.requests,
    }


def _newcomer(each: Standing) -> Value:
    judged = each.judged > 0
    return {
        "model": each.model,
        "stage": each.stage,
        "most": each.most,
        "requests": each.requests,
        "judged": each.judged,
        "gain": each.gain if judged else None,
        "radius": each.radius if judged else None,
    }


def _cap(each: Account, outlooks: Iterable[CapOutlook]) -> Value:
    outlook = next((outlook for outlook in outlooks if outlook.budget == each.cap.name), None)
    return {
        "budget": each.cap.name,
        "scope": str(each.cap.scope),
        "usd": each.cap.usd,
        "spent_usd": each.spent_usd,
        "reserved_usd": each.reserved_usd,
        "left_usd": each.left_usd,
        "window": each.window.period,
        "ends_at": each.ends_at,
        "carried_usd": each.carried_usd,
        "outlook": None if outlook is None else _outlook(outlook),
    }


def _outlook(each: CapOutlook) -> Value:
    return {
        "usd_per_request": each.usd_per_request,
        "requests": each.requests,
        "requests_to_come": each.to_come,
        "spent_at_end_usd": each.spent_usd,
        "shadow_price": each.shadow_price,
    }


def _shadow(each: ShadowView) -> Value:
    found = each.comparison
    return {
        "name": each.name,
        "share": each.share,
        "policy": each.policy,
        "looked_at": each.looked_at,
        "comparison": None if found is None else _comparison(found),
    }


def _comparison(found: ShadowComparison) -> Value:
    return {
        "decisions": found.decisions,
        "drawn": found.drawn,
        "agreement": found.agreement,
        "win_rate": found.win_rate,
        "tie_rate": found.tie_rate,
        "cheaper_rate": found.cheaper_rate,
        "quality_gain": _change(found.quality_gain),
        "saved_usd": _change(found.saved_usd),
        "basis": found.basis,
        "safe": found.safe,
        "verdict": found.verdict,
    }


def _change(change: Change) -> Value:
    return {"mean": change.mean, "ci95": list(change.ci95)}


def _decision(trail: Trail) -> Value:
    decision, outcome = trail.decision, trail.outcome
    return {
        "decision_id": decision.decision_id,
        "at": decision.at,
        "task": decision.context.task,
        "chosen": decision.chosen,
        "propensity": None if decision.pinned else decision.propensity,
        "served": None if outcome is None else outcome.served or None,
        "cost_usd": None if outcome is None else outcome.cost_usd,
        "latency_s": None if outcome is None else outcome.latency_s,
        "quality": mean_quality(trail),
        "settled": outcome is not None,
        "failed_attempts": failed_attempts(trail),
    }
