"""What a shadow decides by: this file's own settings, or those of another router.toml among this file's models."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from banditroute.config.problems import Problem
from banditroute.config.values import RouterConfig
from banditroute.routing.catalog import Catalog
from banditroute.routing.guards import GuardSettings

_PLACE = ("shadow", "policy")


def shadow_plan(config: RouterConfig) -> RouterConfig | None:
    """The configuration that the shadow's decider is made of; None where the file has no shadow.

    Prices, addresses and store are the file's own: only what decides is the other's. What the other's caps would do is
    left out: a cap is a fuse, and a shadow spends nothing. So are guards, which bend what is served, and promises, for
    nobody waits for a shadow.
    """
    if config.shadow is None:
        return None
    rival, config = config.shadow.rival, replace(config, guard=GuardSettings(), promises=())
    if rival is None:
        return config
    return replace(config, routing=rival.routing, budgets=rival.budgets, catalog=_common(config.catalog, rival.catalog))


def learn_alike(config: RouterConfig, rival: RouterConfig) -> bool:
    """Whether deciders of both would believe the same of the same requests, and can share their beliefs."""
    own, other = ((each.catalog, each.routing.policy.learning, each.routing.warm_start) for each in (config, rival))
    return own == other


def unfit(config: RouterConfig, rival: RouterConfig) -> Iterator[Problem]:
    """Why another configuration cannot decide beside this one, which learns for it and reads the prompts for it."""
    for key in ("encoder", "features"):
        own, other = getattr(config.routing, key), getattr(rival.routing, key)
        if own != other:
            problem = f"its routing.{key} is {other!r} and this file's {own!r}: it learns from the same prompts"
            yield Problem(_PLACE, problem, f"give both the same routing.{key}")
    if not any(model.routed for model in _common(config.catalog, rival.catalog)):
        names = ", ".join(map(repr, config.catalog.names))
        yield Problem(_PLACE, "it may draw none of this file's models", f"give it some of {names}")


def _common(own: Catalog, other: Catalog) -> Catalog:
    """This file's models that the other has too; whether they may be drawn is for the other to say."""
    both = [model for model in own if model.name in other]
    likes = {model.name: model.like if model.like in other else "" for model in both}
    return Catalog(tuple(replace(m, routed=other[m.name].routed, like=likes[m.name]) for m in both))
