"""What a configuration that can be used may still get wrong about its shadow."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from banditroute.config.findings import Finding
from banditroute.config.values import RouterConfig
from banditroute.routing.budgets import Cap

_CHECK, _PLACE = "shadow", "shadow"


def shadow_findings(config: RouterConfig, _: Mapping[str, str]) -> Iterator[Finding]:
    """What of the shadow has no effect, or another one than its file says."""
    if config.shadow is None:
        return
    if config.shadow.share == 0.0:
        yield Finding(_CHECK, _PLACE, "it decides on no request", "raise share, or take the table out")
    if config.shadow.rival is not None:
        yield from _of_rival(config, config.shadow.rival)


def _of_rival(config: RouterConfig, rival: RouterConfig) -> Iterator[Finding]:
    unknown = [name for name in rival.catalog.names if name not in config.catalog]
    if unknown:
        names = ", ".join(map(repr, unknown))
        problem = f"its file has models that this one has not, which it cannot choose: {names}"
        yield Finding(_CHECK, _PLACE, problem, "add them here with routed = false, so that they can be learned of")
    if any(isinstance(budget, Cap) for budget in rival.budgets):
        problem = "its file has caps, which are left out: it spends nothing"
        yield Finding(_CHECK, _PLACE, problem, "compare by paces (usd_per_request)")
    if _reading(config) != _reading(rival):
        problem = "its file names task classes in another way; this file's classes are what it sees"
        yield Finding(_CHECK, _PLACE, problem, "give both the same classifier, [[tasks]] and [[rules]]")


def _reading(config: RouterConfig) -> object:
    """All that task classes are named by."""
    return config.routing.classifier, config.routing.sure, config.tasks, config.rules
