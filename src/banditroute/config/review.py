"""What a configuration that can be used still gets wrong: prices, budgets and keys held against each other."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from ipaddress import ip_address
from itertools import product
from urllib.parse import urlsplit

from banditroute.config.findings import (
    TYPICAL_INPUT_TOKENS,
    TYPICAL_OUTPUT_TOKENS,
    Finding,
    dollars,
    typical_usd,
)
from banditroute.config.review_gateway import gateway_findings
from banditroute.config.review_grading import GRADING_CHECKS, known_tasks
from banditroute.config.review_guard import guard_findings
from banditroute.config.review_shadow import shadow_findings
from banditroute.config.review_store import store_findings
from banditroute.config.secrets import missing_keys
from banditroute.config.values import RouterConfig
from banditroute.providers.registry import KINDS
from banditroute.routing.budgets import Cap, PacedBudget
from banditroute.routing.catalog import Catalog, Model
from banditroute.routing.tasks import is_judging

_TYPICAL = f"{TYPICAL_INPUT_TOKENS} tokens in, {TYPICAL_OUTPUT_TOKENS} out"


def review(config: RouterConfig, environ: Mapping[str, str]) -> tuple[Finding, ...]:
    """The findings, check by check."""
    return tuple(finding for check in _CHECKS for finding in check(config, environ))


def longest_call_usd(model: Model) -> float:
    """The most that a typical prompt can cost where its caller does not limit the answer; inf = nothing bounds it."""
    can = model.capabilities
    window = math.inf if can.context_window is None else max(can.context_window - TYPICAL_INPUT_TOKENS, 0)
    longest = min(window, math.inf if can.max_output_tokens is None else can.max_output_tokens)
    if math.isfinite(longest):
        return model.price.bound_usd(TYPICAL_INPUT_TOKENS, longest)
    return 0.0 if model.price.free else math.inf


def cheapest_and_dearest(catalog: Catalog) -> tuple[Model, Model]:
    """The two ends of what a typical request may cost that names no model."""
    routed = [model for model in catalog if model.routed] or catalog.models
    return min(routed, key=typical_usd), max(routed, key=typical_usd)


def _keys(config: RouterConfig, environ: Mapping[str, str]) -> Iterator[Finding]:
    for key in missing_keys(config, environ):
        remedy = "export it before the router starts, which needs it"
        yield Finding("key", f"provider {key.provider!r}", f"environment variable {key.variable} {key.problem}", remedy)


def _connections(config: RouterConfig, _: Mapping[str, str]) -> Iterator[Finding]:
    for provider in config.providers:
        place, url = f"provider {provider.name!r}", urlsplit(provider.base_url)
        if url.scheme == "http" and provider.api_key_env and not _is_loopback(url.hostname or ""):
            problem = f"its key goes to {url.hostname} unencrypted"
            yield Finding("unencrypted", place, problem, "use https, or send no key")
        if not provider.api_key_env and provider.base_url == KINDS[provider.kind].default_base_url:
            problem = f"no key is sent to {url.hostname}, which wants one"
            yield Finding("keyless", place, problem, "name its variable in api_key_env, or give base_url")
        if not provider.transport.tls_verify:
            problem = "its certificate is not checked: anyone on the way can read keys and prompts"
            yield Finding(
                "unverified", place, problem, "set tls_verify = true, and tls_ca_file for an authority of your own"
            )


def _unused(config: RouterConfig, _: Mapping[str, str]) -> Iterator[Finding]:
    used = {model.provider for model in config.catalog}
    for provider in config.providers:
        if provider.name not in used:
            problem = "no model is served by it, and still its keys have to be there"
            yield Finding("unused", f"provider {provider.name!r}", problem, "take it out, or add its models")


def _unbounded(config: RouterConfig, _: Mapping[str, str]) -> Iterator[Finding]:
    for model in config.catalog:
        if math.isinf(longest_call_usd(model)):
            problem = "nothing bounds its answers: neither max_output_tokens nor context_window is given"
            remedy = "give one, so that caps and max_cost_usd know its worst case"
            yield Finding("unbounded", f"model {model.name!r}", problem, remedy)


def _paces(config: RouterConfig, _: Mapping[str, str]) -> Iterator[Finding]:
    cheapest, dearest = cheapest_and_dearest(config.catalog)
    low, high = typical_usd(cheapest), typical_usd(dearest)
    for budget in config.budgets:
        if not isinstance(budget, PacedBudget):
            continue
        place = f"budget {budget.name!r}"
        if budget.usd_per_request < low:
            problem = f"cannot be held: a typical request ({_TYPICAL}) of the cheapest model, {cheapest.name!r}, costs"
            yield Finding("unreachable", place, f"{problem} {dollars(low)}", "raise it, or add a cheaper model")
        elif budget.usd_per_request >= high and len(config.catalog) > 1:  # with one model there is nothing to steer
            problem = f"never binds: a typical request ({_TYPICAL}) of the dearest model, {dearest.name!r}, costs"
            yield Finding("idle", place, f"{problem} {dollars(high)}", "lower it, or take it out")


def _caps(config: RouterConfig, _: Mapping[str, str]) -> Iterator[Finding]:
    for budget in config.budgets:
        if not isinstance(budget, Cap) or is_judging(budget.scope.name):
            continue
        over = [model for model in config.catalog if budget.usd < longest_call_usd(model) < math.inf]
        if over:
            dearest = max(over, key=longest_call_usd)
            problem = (
                f"less than one call may cost: of {dearest.name!r} up to {dollars(longest_call_usd(dearest))} where "
                f"the caller does not limit the answer ({len(over)} of {len(config.catalog)} models)"
            )
            yield Finding("small", f"budget {budget.name!r}", problem, "raise it, or lower max_output_tokens")


def _months(config: RouterConfig, _: Mapping[str, str]) -> Iterator[Finding]:
    caps = [budget for budget in config.budgets if isinstance(budget, Cap)]
    for day, month in product(caps, caps):
        if (day.per, month.per) == ("day", "month") and day.scope == month.scope and month.usd <= day.usd:
            over, day_usd = dollars(month.usd), dollars(day.usd)
            problem = f"its month is over at {over}, before a day reaches the {day_usd} of {day.name!r}"
            yield Finding("unreachable", f"budget {month.name!r}", problem, "raise it, or lower the cap of the day")


def _scopes(config: RouterConfig, _: Mapping[str, str]) -> Iterator[Finding]:
    tasks = known_tasks(config)
    tenants = {key.tenant for key in config.gateway.keys} if config.gateway else set[str]()
    for budget in config.budgets:
        place, scope = f"budget {budget.name!r}", budget.scope
        if scope.kind == "task" and scope.name not in tasks:
            problem = f"no class is called {scope.name!r}: it covers nothing unless callers name that task"
            yield Finding("scope", place, problem, f"add {scope.name!r} to routing.tasks, or mend the name")
        if scope.kind == "tenant" and tenants and scope.name not in tenants:
            problem = (
                f"no [[gateway.keys]] has tenant {scope.name!r}: it covers nothing unless callers name that tenant"
            )
            yield Finding("scope", place, problem, "mend the name, or add the key")
    for promise in config.promises:
        if promise.task and promise.task not in tasks:
            problem = f"no class is called {promise.task!r}: it is given for nothing unless callers name that task"
            remedy = f"add {promise.task!r} to routing.tasks, or mend the name"
            yield Finding("scope", f"promise {promise.name!r}", problem, remedy)


def _unlimited(config: RouterConfig, _: Mapping[str, str]) -> Iterator[Finding]:
    budgets = [budget for budget in config.budgets if not is_judging(budget.scope.name)]
    if not budgets and not all(model.price.free for model in config.catalog):
        remedy = "add [[budgets]]: a pace (usd_per_request) or a cap (usd, per)"
        yield Finding("unlimited", "budgets", "nothing bounds what is spent", remedy)


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


_CHECKS: tuple[Callable[[RouterConfig, Mapping[str, str]], Iterator[Finding]], ...] = (
    _keys,
    _connections,
    _unused,
    _unbounded,
    _paces,
    _caps,
    _months,
    _scopes,
    _unlimited,
    gateway_findings,
    *GRADING_CHECKS,
    shadow_findings,
    guard_findings,
    store_findings,
)
