"""A month as JSON for machines; what is not a number is null."""

import sys
from collections.abc import Mapping
from dataclasses import asdict

import orjson

from banditroute.reports.month.budgets import CapMonth, PaceMonth
from banditroute.reports.month.comparing import Amount, Compared, Comparison
from banditroute.reports.month.month import Month, WeekSums
from banditroute.reports.month.sums import Sums

_JSON = orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE
Value = dict[str, object]


def print_month(month: Month) -> None:
    """Prints what the documentation's table of keys lists."""
    sys.stdout.write(orjson.dumps(document(month), option=_JSON).decode())


def document(month: Month) -> Value:
    """The whole month."""
    traffic = month.traffic
    return {
        "month": month.period.name,
        "starts_at": month.period.starts_at,
        "ends_at": month.period.ends_at,
        "at": month.at,
        "over": month.is_over,
        "kept_since": month.gone_before,
        "total": _sums(traffic.total),
        "tenants": _parts("tenant", traffic.tenants),
        "tasks": _parts("task", traffic.tasks),
        "models": _parts("model", traffic.models),
        "days_usd": traffic.days_usd.tolist(),
        "weeks": [_week(each) for each in traffic.weeks],
        "sources": traffic.sources,
        "caps": [_cap(each) for each in month.caps],
        "paces": [_pace(each) for each in month.paces],
        "comparison": None if month.comparison is None else _comparison(month.comparison),
        "incidents": [asdict(each) for each in month.moments],
        "incidents_cut": month.moments_cut,
    }


def _sums(sums: Sums) -> Value:
    return {
        "spent_usd": sums.usd,
        "estimated_usd": sums.estimated_usd,
        "estimated": sums.estimated,
        "requests": sums.requests,
        "judge_calls": sums.judge_calls,
        "failed": sums.failed,
        "still_open": sums.still_open,
        "input_tokens": sums.input_tokens,
        "output_tokens": sums.output_tokens,
        "unmetered": sums.unmetered,
        "quality": sums.quality,
        "judged": sums.judged,
    }


def _parts(key: str, parts: Mapping[str, Sums]) -> list[Value]:
    ranked = sorted(parts.items(), key=lambda pair: (-pair[1].picos, pair[0]))
    return [{key: name, **_sums(sums)} for name, sums in ranked]


def _week(each: WeekSums) -> Value:
    return {"starts_at": each.week.starts_at, "ends_at": each.week.ends_at, **_sums(each.sums)}


def _cap(each: CapMonth) -> Value:
    return {
        "budget": each.cap.name,
        "scope": str(each.cap.scope),
        "per": each.cap.per,
        "usd": each.cap.usd,
        "spent_usd": each.spent_usd,
        "recorded_usd": each.recorded_usd,
        "windows": dict(each.windows),
    }


def _pace(each: PaceMonth) -> Value:
    return {
        "budget": each.budget.name,
        "scope": str(each.budget.scope),
        "usd_per_request": each.budget.usd_per_request,
        "spent_usd": each.sums.usd,
        "requests": each.sums.requests,
    }


def _comparison(found: Comparison) -> Value:
    return {
        "decisions": found.decisions,
        "spent_usd": found.spent_usd,
        "looked_at": found.looked_at,
        "quality": found.quality,
        "baselines": [_compared(each) for each in found.rows],
        "notes": found.notes,
    }


def _compared(each: Compared) -> Value:
    return {
        "baseline": each.name,
        "meaning": each.meaning,
        "model": each.who or None,
        "sure": each.is_sure,
        "baseline_usd": _amount(each.baseline_usd),
        "saved_usd": _amount(each.saved_usd),
        "quality": _amount(each.quality),
        "gained": _amount(each.gained),
        "verdict": each.verdict,
    }


def _amount(amount: Amount | None) -> Value | None:
    return None if amount is None else {"mean": amount.mean, "ci95": list(amount.ci95)}
