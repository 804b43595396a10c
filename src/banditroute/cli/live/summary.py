"""What the demo found, in sentences for people and as JSON for machines."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from banditroute.cli.live.tally import Result, Tally
from banditroute.reports import format as form


def sentences(tally: Tally) -> list[str]:
    """What was saved, how the budget was kept, and what went wrong."""
    if not tally.answered:
        return [f"No request was answered.{_trouble(tally)}"]
    return [finding(tally), _budget(tally) + _trouble(tally)]


def kept_in(config: Path) -> str:
    """Where what the router wrote can be looked at; a line to copy from, not to be broken."""
    return f"Every decision is kept in {config.parent}; look: banditroute inspect --config {config}"


def finding(tally: Tally) -> str:
    """What the stream cost and would have cost with the best or the cheapest model for all."""
    routed, best, cheapest = tally.routed, tally.alone(tally.best), tally.alone(tally.cheapest)
    saved = best.cost_usd - routed.cost_usd
    return (
        f"These {form.count(tally.answered)} requests cost {form.money(routed.cost_usd)} at quality "
        f"{form.quality(routed.quality)}. With {tally.best} for all they would have cost "
        f"{form.money(best.cost_usd)} at {form.quality(best.quality)}: {form.money(saved)} saved{_lost(routed, best)}. "
        f"With {tally.cheapest} for all, {form.money(cheapest.cost_usd)} at {form.quality(cheapest.quality)}."
    )


def to_json(tally: Tally, config: Path) -> dict[str, Any]:
    """The same in figures; null where nothing is known."""
    return {
        "requests": tally.total,
        "answered": tally.answered,
        "judged": tally.judged,
        "failed": dict(tally.failures),
        "fallbacks": tally.fallbacks,
        "budget_usd": tally.budget_usd,
        "routed": _figures(tally.routed),
        "best": {"model": tally.best, **_figures(tally.alone(tally.best))},
        "cheapest": {"model": tally.cheapest, **_figures(tally.alone(tally.cheapest))},
        "share": {model: tally.share(model) for model in tally.models},
        "tasks": {
            line.task: {"requests": line.requests, "model": line.model, "quality": _known(line.quality)}
            for line in tally.tasks()
        },
        "shadow_price": tally.shadow_price,
        "overhead_s": _known(tally.overhead_s),
        "config": str(config),
    }


def _lost(routed: Result, best: Result) -> str:
    lost = round(best.quality, 3) - round(routed.quality, 3)
    if math.isnan(lost) or abs(lost) < 0.0005:
        return ""
    return f" for {form.quality(lost)} of quality" if lost > 0 else f", and {form.quality(-lost)} of quality won"


def _budget(tally: Tally) -> str:
    allowed = form.money_names([tally.budget_usd])[0]
    return (
        f"The budget allowed {allowed} a request; {form.money(tally.usd_per_request)} were spent, "
        f"what was learned from a cold start included."
    )


def _trouble(tally: Tally) -> str:
    fallen = (
        f" {form.count(tally.fallbacks)} requests were answered by another model than the one chosen, which failed."
    )
    causes = form.listing(f"{count} {name}" for name, count in tally.failures.items())
    unanswered = f" {form.count(tally.failed)} were not answered ({causes})."
    return (fallen if tally.fallbacks else "") + (unanswered if tally.failed else "")


def _figures(result: Result) -> dict[str, float | None]:
    return {"quality": _known(result.quality), "cost_usd": result.cost_usd}


def _known(value: float) -> float | None:
    return None if math.isnan(value) else value
