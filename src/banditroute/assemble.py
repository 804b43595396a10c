"""From a configuration to a live router, and to those of its parts that others use by themselves."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from banditroute.config import RouterConfig, StoreConfig, load_config, require_keys
from banditroute.errors import ConfigError
from banditroute.observe import NullObserver, Observer
from banditroute.prompting import prompting_of
from banditroute.router import Router
from banditroute.routing.beliefs import Beliefs
from banditroute.routing.budgets import Cap, PacedBudget
from banditroute.routing.decider import Decider
from banditroute.routing.guards import guards_of
from banditroute.routing.promises import keepers
from banditroute.routing.rollout import rollout_of
from banditroute.routing.saved import SavedPolicy
from banditroute.routing.tasks import FeatureEncoder, TaskClassifier
from banditroute.storage.memory import MemoryStore
from banditroute.storage.policy_file import read_policy
from banditroute.storage.protocol import Store
from banditroute.storage.sqlite import SQLiteStore
from banditroute.storage.sqlite_reader import SQLiteReader
from banditroute.workshop import Given, Workshop


def open_router(
    config: str | Path | RouterConfig,
    *,
    environ: Mapping[str, str] | None = None,
    observer: Observer | None = None,
    classifier: TaskClassifier | None = None,
    encoder: FeatureEncoder | None = None,
) -> Router:
    """The router that a configuration describes; `async with` it. Nothing is opened or written before that.

    Args:
        config: the path of a router.toml, or what `load_config` made of one.
        environ: where the keys are; None = the process's environment.
        observer: is told what happens.
        classifier: names a request's task class where the caller does not; None = as the configuration says.
        encoder: what of a prompt the policy sees; None = as the configuration says.

    Raises:
        ConfigError: the configuration cannot be used, or a key's variable is not set; says which.
    """
    plan = config if isinstance(config, RouterConfig) else load_config(config)
    environ = os.environ if environ is None else environ
    require_keys(plan, environ)
    observer = NullObserver() if observer is None else observer
    given, store = Given(classifier, encoder), open_store(plan.store)
    workshop = Workshop(plan, environ, observer, given, store, decider_of)
    return Router(workshop.first(), workshop.learner, workshop, workshop.clock)


def decider_of(plan: RouterConfig, encoder: FeatureEncoder | None = None, beliefs: Beliefs | None = None) -> Decider:
    """The decider that a configuration describes, knowing nothing yet, unless it decides by what another believes.

    Args:
        plan: the configuration.
        encoder: makes the features; None = as the configuration says.
        beliefs: the other's; None = it has its own.
    """
    encoder = prompting_of(plan).encoder if encoder is None else encoder
    decider = Decider(
        plan.catalog,
        plan.routing.tasks,
        encoder.width,
        plan.routing.policy,
        quality_per_s=plan.routing.quality_per_s,
        budgets=[budget for budget in plan.budgets if isinstance(budget, PacedBudget)],
        caps=[budget for budget in plan.budgets if isinstance(budget, Cap) and budget.paced],
        encoder_version=encoder.version,
        rules=(rollout_of(plan.routing.policy.rollout, plan.catalog), *guards_of(plan.guard), *keepers(plan.promises)),
        beliefs=beliefs,
    )
    if plan.routing.warm_start is not None:
        decider.begin_with(_fitting(plan, encoder))
    return decider


def _fitting(plan: RouterConfig, encoder: FeatureEncoder) -> SavedPolicy:
    """The saved policy to begin with.

    Raises:
        ConfigError: it cannot be read, or was made with another encoder's features.
    """
    path = plan.routing.warm_start
    assert path is not None, "asked for where there is one"
    saved = read_policy(path)
    if (saved.encoder_version, saved.width) != (encoder.version, encoder.width + 2):
        raise ConfigError(
            f"it was made with the encoder {saved.encoder_version!r}, this one is {encoder.version!r}: their features "
            "do not mix",
            remedy="make it anew with `banditroute warm-start`",
            path=str(path),
            field="routing.warm_start",
        )
    return saved


def open_store(config: StoreConfig) -> Store:
    """The store that a configuration names, not yet opened."""
    if config.kind == "memory":
        return MemoryStore(keep_prompts=config.keep_prompts)
    return SQLiteStore(
        config.path, fsync=config.fsync, retention_s=config.retention_s, keep_prompts=config.keep_prompts
    )


def open_store_reader(config: StoreConfig) -> SQLiteReader:
    """The reading half of the store that a configuration names, for looking into it beside the router that writes it.

    It is not yet opened.

    Raises:
        ConfigError: no other process can look into a store of that kind.
    """
    if config.kind == "memory":
        remedy = 'use kind = "sqlite"'
        raise ConfigError("a memory store ends with its process: nothing is kept to look at", remedy=remedy)
    return SQLiteReader(config.path)
