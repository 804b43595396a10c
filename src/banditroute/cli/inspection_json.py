"""What a router has learned and spent, as JSON for machines; what is not a number is null."""

import sys

import orjson

from banditroute.cli.inspection import Inspection, PaceView, failed_attempts, mean_quality
from banditroute.routing.accounts import Account
from banditroute.storage.protocol import Trail

_JSON = orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE
Value = dict[str, object]


def print_inspection(found: Inspection) -> None:
    """Prints `at`, `prompt`, `edges`, `judged_elsewhere`, `paces`, `caps`, `open_decisions`, `sources`, `decisions`."""
    _print(
        {
            "at": found.at,
            "prompt": {"input_tokens": found.prompt.input_tokens, "features": found.prompt.features},
            "edges": found.edges,
            "judged_elsewhere": found.judged_elsewhere,
            "paces": [_pace(each) for each in found.paces],
            "caps": [_cap(each) for each in found.accounts],
            "open_decisions": found.open_decisions,
            "sources": found.sources,
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


def _cap(each: Account) -> Value:
    return {
        "budget": each.cap.name,
        "scope": str(each.cap.scope),
        "usd": each.cap.usd,
        "spent_usd": each.spent_usd,
        "reserved_usd": each.reserved_usd,
        "left_usd": each.left_usd,
        "window": each.window.period,
        "ends_at": each.ends_at,
    }


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
