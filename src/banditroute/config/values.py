"""What a router.toml says, as frozen values: every default filled in, every reference checked, no secret inside."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from banditroute.delivery.settings import Breaking, Hedging, Retrying, Timeouts, Transport
from banditroute.learning.policy import PolicySettings
from banditroute.providers.registry import NO_OPTIONS, ProviderOptions
from banditroute.routing.budgets import Cap, PacedBudget
from banditroute.routing.catalog import Catalog

StoreKind = Literal["memory", "sqlite"]

_TIMEOUTS, _TRANSPORT = Timeouts(), Transport()
_RETRYING, _BREAKING, _HEDGING = Retrying(), Breaking(), Hedging()
_POLICY = PolicySettings()


@dataclass(frozen=True, slots=True)
class ProviderConfig:
    """One provider.

    Attributes:
        name: what models and reports call it.
        kind: its protocol, a name in `providers.registry.KINDS`.
        base_url: what the protocol's paths are added to.
        api_key_env: environment variables that hold its keys; none = no key is sent.
        options: how it departs from its protocol.
        timeouts: time limits of one attempt.
        transport: the way to it.
    """

    name: str
    kind: str
    base_url: str
    api_key_env: tuple[str, ...] = ()
    options: ProviderOptions = NO_OPTIONS
    timeouts: Timeouts = _TIMEOUTS
    transport: Transport = _TRANSPORT


@dataclass(frozen=True, slots=True)
class StoreConfig:
    """Where decisions, outcomes and what they taught are kept.

    Attributes:
        kind: memory, which ends with the process, or sqlite.
        path: the database file; of no use to memory.
        fsync: whether a write survives a power cut, not only the end of the process.
        retention_s: how long a decision is kept; None = for ever. What it taught stays.
        keep_prompts: whether the messages of requests are kept.
    """

    kind: StoreKind = "sqlite"
    path: Path = Path("banditroute.db")
    fsync: bool = False
    retention_s: float | None = 30 * 86_400.0
    keep_prompts: bool = False


@dataclass(frozen=True, slots=True)
class RoutingConfig:
    """How models are chosen.

    Attributes:
        tasks: task classes known from the start; others join as they come.
        features: how many numbers callers give with every request; 0 = none.
        policy: how to explore, pace and refresh.
        quality_per_s: quality points that one second of waiting costs.
        deadline_s: the whole time of a request, retries and fallbacks included, where its caller names none.
        session_ttl_s: how long after its last answer a conversation stays with its model.
        session_stay_quality: quality points that leaving it must be worth.
        seed: chance starts from it; None = from the operating system's.
    """

    tasks: tuple[str, ...] = ()
    features: int = 0
    policy: PolicySettings = _POLICY
    quality_per_s: float = 0.0
    deadline_s: float = 600.0
    session_ttl_s: float = 300.0
    session_stay_quality: float = 0.01
    seed: int | None = None


@dataclass(frozen=True, slots=True)
class GatewayKey:
    """A key that a client of the gateway shows.

    Attributes:
        name: what reports call it.
        key_env: the environment variable that holds it.
        tenant: on whose behalf its requests are.
    """

    name: str
    key_env: str
    tenant: str = ""


@dataclass(frozen=True, slots=True)
class GatewayConfig:
    """Who may use the gateway.

    Attributes:
        auth: keys, or none, which is for the loopback interface only.
        keys: the keys that the environment holds.
    """

    auth: Literal["keys", "none"] = "keys"
    keys: tuple[GatewayKey, ...] = ()


@dataclass(frozen=True, slots=True)
class RouterConfig:
    """A whole router.toml.

    Attributes:
        path: the file.
        providers: who serves models; names are unique.
        catalog: the models; each one's provider is among the providers.
        budgets: what may be spent; all hold at once, names are unique.
        store: where things are kept.
        retrying, breaking, hedging: how calls are delivered.
        routing: how models are chosen.
        gateway: who may use the gateway; None = the file says nothing of it.
    """

    path: Path
    providers: tuple[ProviderConfig, ...]
    catalog: Catalog
    budgets: tuple[PacedBudget | Cap, ...] = ()
    store: StoreConfig = StoreConfig()
    retrying: Retrying = _RETRYING
    breaking: Breaking = _BREAKING
    hedging: Hedging = _HEDGING
    routing: RoutingConfig = RoutingConfig()
    gateway: GatewayConfig | None = None
