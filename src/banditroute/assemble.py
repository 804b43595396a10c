"""From a configuration to a live router, and to those of its parts that others use by themselves."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from pathlib import Path

from banditroute.alerting.lookout import Lookout
from banditroute.alerting.settings import WebhookSettings
from banditroute.alerting.webhook import Lost, Webhook
from banditroute.config import RouterConfig, StoreConfig, load_config, require_keys
from banditroute.config.alert_places import webhook_place
from banditroute.config.store_server import log_url, server_url
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
from banditroute.storage.protocol import SharedStore
from banditroute.storage.rebuilding import ComparingReader
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
        environ: where the keys are, and values in the place of the file's; None = the process's environment.
        observer: is told what happens.
        classifier: names a request's task class where the caller does not; None = as the configuration says.
        encoder: what of a prompt the policy sees; None = as the configuration says.

    Raises:
        ConfigError: the configuration cannot be used, or a key's variable is not set; says which.
    """
    environ = os.environ if environ is None else environ
    plan = config if isinstance(config, RouterConfig) else load_config(config, environ)
    require_keys(plan, environ)
    observer = NullObserver() if observer is None else observer
    given, store = Given(classifier, encoder), open_store(plan.store, environ)
    lookout = _lookout(plan, environ, observer)
    workshop = Workshop(plan, environ, lookout, given, store, decider_of)
    workshop.learner.lookout = lookout
    if isinstance(store, SQLiteStore) and not plan.store.shared:
        workshop.learner.looks_crowded = lambda: store.crowded
    return Router(workshop.first(), workshop.learner, workshop, workshop.clock)


def _lookout(plan: RouterConfig, environ: Mapping[str, str], observer: Observer) -> Lookout:
    """Watches the router, and tells the observer.

    Raises:
        ConfigError: nobody can be told as the configuration says.
    """

    def webhook(settings: WebhookSettings, lost: Lost) -> Webhook | None:
        place = webhook_place(settings, environ)
        return None if place is None else Webhook(*place, settings.timeout_s, settings.attempts, lost)

    webhook_place(plan.alerts.webhook, environ)
    return Lookout(plan.alerts, observer, time.time, webhook)


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


def open_store(config: StoreConfig, environ: Mapping[str, str] | None = None) -> SharedStore:
    """The store that a configuration names, not yet opened.

    Args:
        config: the store's part of it.
        environ: where the URL of its server may be; None = the process's environment.

    Raises:
        ConfigError: its server's variable is not set, or holds no URL.
        MissingExtraError: its library is not installed.
    """
    environ = os.environ if environ is None else environ
    if config.kind == "memory":
        return MemoryStore(keep_prompts=config.keep_prompts)
    if config.kind == "sqlite":
        return SQLiteStore(
            config.path, fsync=config.fsync, retention_s=config.retention_s, keep_prompts=config.keep_prompts
        )
    url = server_url(config, environ)
    if config.log:
        from banditroute.storage.paired.store import PairedStore  # whose libraries are extras

        kind, urls = PairedStore, (log_url(config, environ), url)
    elif config.kind == "redis":
        from banditroute.storage.redis.store import RedisStore  # whose library is an extra

        kind, urls = RedisStore, (url,)
    else:
        from banditroute.storage.postgres.store import PostgresStore  # whose library is an extra

        kind, urls = PostgresStore, (url,)
    return kind(*urls, namespace=config.namespace, retention_s=config.retention_s, keep_prompts=config.keep_prompts)


def open_store_reader(config: StoreConfig, environ: Mapping[str, str] | None = None) -> ComparingReader:
    """The reading half of the store that a configuration names, for looking into it beside the router that writes it.

    It is not yet opened.

    Args:
        config: the store's part of it.
        environ: where the URL of its server may be; None = the process's environment.

    Raises:
        ConfigError: no other process can look into a store of that kind; or its server's URL is not known.
        MissingExtraError: its library is not installed.
    """
    environ = os.environ if environ is None else environ
    if config.kind == "memory":
        remedy = 'use kind = "sqlite"'
        raise ConfigError("a memory store ends with its process: nothing is kept to look at", remedy=remedy)
    if config.kind == "sqlite":
        return SQLiteReader(config.path)
    url = server_url(config, environ)
    if config.log:
        from banditroute.storage.paired.reader import PairedReader  # whose libraries are extras

        return PairedReader(log_url(config, environ), url, namespace=config.namespace)
    if config.kind == "redis":
        from banditroute.storage.redis.store import RedisReader  # whose library is an extra

        return RedisReader(url, namespace=config.namespace)
    from banditroute.storage.postgres.reader import PostgresReader  # whose library is an extra

    return PostgresReader(url, namespace=config.namespace)
