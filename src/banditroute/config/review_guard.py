"""What guards of a configuration that can be used still get wrong: promises that break others, or that nobody hears."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from banditroute.config.findings import Finding, dollars, typical_usd
from banditroute.config.values import RouterConfig
from banditroute.learning.guard import Conservative
from banditroute.routing.budgets import PacedBudget

_CHECK, _PLACE = "guard", "guard"


def guard_findings(config: RouterConfig, _: Mapping[str, str]) -> Iterator[Finding]:
    """What of the guards has no effect, or costs more than the budgets allow."""
    guard = config.guard
    if guard.baseline is None and guard.terms != Conservative():
        problem = "alpha, confidence and saved_requests have no effect without baseline"
        yield Finding(_CHECK, _PLACE, problem, "name the baseline, or take them out")
    for key in ("only", "baseline"):
        name = getattr(guard, key)
        if name is not None:
            yield from _dear(config, key, name)
    if guard.only is not None and (guard.baseline or guard.known):
        problem = f"everything goes to {guard.only!r}: nothing is left to the other guards"
        yield Finding(_CHECK, _PLACE, problem, "take out only when the emergency is over")


def _dear(config: RouterConfig, key: str, name: str) -> Iterator[Finding]:
    """A guard whose model costs more than a pace: quality that is promised wins, and the pace is overspent."""
    usd = typical_usd(config.catalog[name])
    for budget in config.budgets:
        if isinstance(budget, PacedBudget) and budget.usd_per_request < usd:
            problem = (
                f"a typical request of the {'one model' if key == 'only' else 'baseline'}, {name!r}, costs "
                f"{dollars(usd)}, more than the pace {budget.name!r} of {dollars(budget.usd_per_request)}, which will "
                "be overspent"
            )
            yield Finding(_CHECK, f"guard.{key}", problem, "raise the pace, name a cheaper model, or add a cap")
