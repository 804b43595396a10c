"""A configuration that reaches nothing outside the process, and names drawn from a seed."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from banditroute.alerting.settings import WebhookSettings
from banditroute.config import ProviderConfig, RouterConfig, RoutingConfig, StoreConfig, load_config
from banditroute.routing.budgets import Cap, PacedBudget
from banditroute.routing.catalog import Catalog, Model, Price
from banditroute.workshop import ulid

SMALL, LARGE = Price(0.15, 0.60), Price(2.50, 10.00)
_RANDOM_BITS = 80


def loaded(config: str | Path | RouterConfig | None, budgets: Sequence[Cap | PacedBudget]) -> RouterConfig:
    """A configuration; None = two models, small and large, that nothing is known of.

    The environment's values do not take the place of a file's: a test is the same on every machine.

    Raises:
        ConfigError: the file cannot be used.
    """
    found = config if isinstance(config, RouterConfig) else _plain() if config is None else load_config(config, {})
    return replace(found, budgets=(*found.budgets, *budgets))


def hermetic(config: RouterConfig, seed: int) -> RouterConfig:
    """The same configuration with a store in memory, chance from a seed and no way out but its providers.

    What a router begins with (a saved policy), keys of the gateway and webhooks are left out.
    """
    return replace(
        config,
        store=StoreConfig(kind="memory", keep_prompts=config.store.keep_prompts, retention_s=config.store.retention_s),
        routing=replace(config.routing, seed=seed, warm_start=None),
        breaking=replace(config.breaking, knock_s=0.0),
        alerts=replace(config.alerts, webhook=WebhookSettings()),
        gateway=None,
    )


def offline(config: RouterConfig) -> RouterConfig:
    """The same configuration without keys, for providers that nobody calls; what would be waited for is not."""
    providers = [
        replace(provider, api_key_env=(), transport=replace(provider.transport, proxy_url=None, tls_ca_file=None))
        for provider in config.providers
    ]
    retrying = replace(config.retrying, base_s=0.0, cap_s=0.0, longest_retry_after_s=0.0)
    return replace(config, providers=tuple(providers), retrying=retrying)


def own_names(catalog: Catalog) -> Catalog:
    """The same models, each called upstream as it is in the catalog, so that a script can tell them apart."""
    return Catalog(tuple(replace(model, upstream=model.name) for model in catalog))


class SeededIds:
    """Names of decisions in the form of live ones, the same for the same seed and clock."""

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(f"ids {seed}")

    def __call__(self, now: float) -> str:
        """The next one, for a decision made at an instant."""
        return ulid(now, self._chance.getrandbits(_RANDOM_BITS))


def _plain() -> RouterConfig:
    provider = ProviderConfig("scripted", "openai", "http://scripted.invalid/v1")
    models = (
        Model("small", provider.name, "small", SMALL),
        Model("large", provider.name, "large", LARGE),
    )
    routing = RoutingConfig(classifier="none")
    return RouterConfig(Path("router.toml"), (provider,), Catalog(models), routing=routing)
