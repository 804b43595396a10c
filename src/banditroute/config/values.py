"""What a router.toml says, as frozen values: every default filled in, every reference checked, no secret inside."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Literal

from banditroute.alerting.settings import AlertSettings
from banditroute.delivery.settings import Breaking, Hedging, Retrying, Timeouts, Transport
from banditroute.grading.judging import Bench
from banditroute.grading.protocol import Grader
from banditroute.learning.policy import PolicySettings
from banditroute.prompts.classifier import SURE
from banditroute.providers.registry import NO_OPTIONS, ProviderOptions
from banditroute.routing.budgets import Cap, PacedBudget
from banditroute.routing.catalog import Catalog
from banditroute.routing.guards import GuardSettings
from banditroute.routing.promises import Promise
from banditroute.routing.trust import TrustSettings

StoreKind = Literal["memory", "sqlite", "redis", "postgres"]
ClassifierKind = Literal["prompt", "none"]
When = Literal["inline", "background"]
OnNewEncoder = Literal["refuse", "restart"]
OnNewClasses = Literal["warn", "refuse"]

_TIMEOUTS, _TRANSPORT = Timeouts(), Transport()
_RETRYING, _BREAKING, _HEDGING = Retrying(), Breaking(), Hedging()
_POLICY = PolicySettings()
_TRUST = TrustSettings()
_GUARD = GuardSettings()
_ALERTS = AlertSettings()
_ANY: Mapping[str, str] = MappingProxyType({})


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
        kind: memory, which ends with the process, sqlite, redis, or postgres.
        path: the database file of sqlite.
        fsync: whether a write survives a power cut, not only the end of the process.
        retention_s: how long a decision is kept; None = for ever. What it taught stays.
        keep_prompts: whether the messages of requests are kept.
        url: where the server of redis or postgres is; without a password.
        url_env: the environment variable that holds the URL, where it is not written here.
        namespace: which of the stores on that server.
        shared: whether several processes use it at once, and tell each other what they learn and spend.
        tick_s: how often they do.
        prompts_s: how long messages are kept, where that is shorter; None = as long as their decision.
        log: "postgres" where redis keeps only what the log amounts to; empty = all is in one place.
        log_url: where the log's server is; log_url_env: the environment variable that holds that.
    """

    kind: StoreKind = "sqlite"
    path: Path = Path("banditroute.db")
    fsync: bool = False
    retention_s: float | None = 30 * 86_400.0
    keep_prompts: bool = False
    url: str = ""
    url_env: str = ""
    namespace: str = "default"
    shared: bool = False
    tick_s: float = 1.0
    prompts_s: float | None = None
    log: str = ""
    log_url: str = ""
    log_url_env: str = ""


@dataclass(frozen=True, slots=True)
class RoutingConfig:
    """How models are chosen.

    Attributes:
        tasks: task classes known from the start; others join as they come.
        classifier: who names the class of a request whose caller does not: the shipped one, or nobody.
        sure: a class less likely than this is not taken for the task: the request is `general`.
        encoder: what of a prompt the policy sees: "none" (its class and length), "prompt" (the shipped encoder), or an
            encoder's entry point.
        on_new_encoder: what to do where the store's evidence was made by another encoder: refuse to start, or begin
            anew beside it.
        on_new_classes: what to do where task classes are named otherwise than when they were learned of: warn, or
            refuse to start.
        features: how many numbers callers give with every request; 0 = none. They take the encoder's place.
        policy: how to explore, pace and refresh.
        quality_per_s: quality points that one second of waiting costs.
        deadline_s: the whole time of a request, retries and fallbacks included, where its caller names none.
        session_ttl_s: how long after its last answer a conversation stays with its model.
        session_stay_quality: quality points that leaving it must be worth.
        seed: chance starts from it; None = from the operating system's.
        warm_start: a saved policy that a router begins with; None = with nothing.
    """

    tasks: tuple[str, ...] = ()
    classifier: ClassifierKind = "prompt"
    sure: float = SURE
    encoder: str = "none"
    on_new_encoder: OnNewEncoder = "refuse"
    on_new_classes: OnNewClasses = "warn"
    features: int = 0
    policy: PolicySettings = _POLICY
    quality_per_s: float = 0.0
    deadline_s: float = 600.0
    session_ttl_s: float = 300.0
    session_stay_quality: float = 0.01
    seed: int | None = None
    warm_start: Path | None = None


@dataclass(frozen=True, slots=True)
class OwnTask:
    """A task class of one's own.

    Attributes:
        name: what decisions and reports call it.
        examples: prompts of the class.
    """

    name: str
    examples: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RuleConfig:
    """A rule that names the class of requests by their signs, all of which must be there.

    Attributes:
        task: the class.
        regex: found in what is read of the request; None = whatever that is.
        contains: any of these stands there, in capitals or not; empty = whatever stands there.
        metadata: entries of the request's metadata.
        tools: whether the request carries tools; None = either way.
        response_format: the type of its response_format; None = any.
    """

    task: str
    regex: str | None = None
    contains: tuple[str, ...] = ()
    metadata: Mapping[str, str] = field(default_factory=lambda: _ANY)
    tools: bool | None = None
    response_format: str | None = None


@dataclass(frozen=True, slots=True)
class GraderConfig:
    """A grader that needs nobody else.

    Attributes:
        name: the source of its grades.
        grader: grades.
        tasks: task classes whose answers it grades; empty = all.
        weight: how much its grades count.
        calibrate_to: the judge on whose scale its grades are brought; or none.
        when: before the answer is given, or just after it.
    """

    name: str
    grader: Grader
    tasks: tuple[str, ...] = ()
    weight: float = 1.0
    calibrate_to: str = ""
    when: When = "inline"


@dataclass(frozen=True, slots=True)
class JudgeConfig:
    """A judge: a model that grades other models' answers.

    Attributes:
        name: the source of its grades.
        bench: who judges, and what.
        tasks: task classes whose answers it grades; empty = all.
        weight: how much its grades count.
        caps: its own budgets.
    """

    name: str
    bench: Bench
    tasks: tuple[str, ...] = ()
    weight: float = 1.0
    caps: tuple[Cap, ...] = ()


@dataclass(frozen=True, slots=True)
class ShadowConfig:
    """A policy that decides beside the router.

    Attributes:
        share: of the requests, that it decides on.
        name: what decisions, logs and reports call it.
        path: the router.toml whose settings decide; None = those of the file that the shadow stands in.
        rival: what that file says.
    """

    share: float = 1.0
    name: str = "shadow"
    path: Path | None = None
    rival: RouterConfig | None = None


@dataclass(frozen=True, slots=True)
class GatewayKey:
    """A key that a client of the gateway shows.

    Attributes:
        name: what reports call it.
        key_env: the environment variable that holds it.
        tenant: on whose behalf its requests are; empty = the request says.
        models: what it may have answer; empty = every model.
        tasks: task classes that it may name, of which every request has to name one; empty = any, or none.
        requests_per_minute: how many it may make; None = any number.
        admin: whether it may read every tenant's decisions, and throw switches.
    """

    name: str
    key_env: str
    tenant: str = ""
    models: tuple[str, ...] = ()
    tasks: tuple[str, ...] = ()
    requests_per_minute: float | None = None
    admin: bool = False


@dataclass(frozen=True, slots=True)
class GatewayConfig:
    """Who may use the gateway, and how much of it at once.

    Attributes:
        auth: keys, or none, which is for the loopback interface only.
        keys: the keys that the environment holds.
        max_in_work: requests that are being answered at once; one more is told to come back.
        max_body_bytes: the longest body of a request.
        head_s: how long a new connection may take to send a request's head; body_s: and that request its body.
        idle_s: how long a connection is kept between two requests.
        unread_s: how long an answer may wait for its caller to read on.
        drain_s: how long requests in work may go on once the process is told to end.
        access_log: where a line is written for every request: "stderr", a file, or None.
    """

    auth: Literal["keys", "none"] = "keys"
    keys: tuple[GatewayKey, ...] = ()
    max_in_work: int = 512
    max_body_bytes: int = 20 * 2**20
    head_s: float = 10.0
    body_s: float = 30.0
    idle_s: float = 75.0
    unread_s: float = 60.0
    drain_s: float = 30.0
    access_log: Path | Literal["stderr"] | None = None


@dataclass(frozen=True, slots=True)
class FromEnvironment:
    """A value that the environment gave in the place of the file's.

    Attributes:
        variable: which variable did.
        key: the key, as people name it.
    """

    variable: str
    key: str


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
        tasks: task classes of one's own.
        rules: name classes before the classifier does, in order.
        trust: whose judgements count how much.
        graders: grade answers by themselves.
        judges: grade answers in the background.
        shadow: decides beside the router; None = nobody does.
        guard: what bends live decisions.
        promises: how few answers may be late; names are unique.
        alerts: what whoever runs the router is told, and where.
        from_environment: which of all this the environment said, in the place of the file.
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
    tasks: tuple[OwnTask, ...] = ()
    rules: tuple[RuleConfig, ...] = ()
    trust: TrustSettings = _TRUST
    graders: tuple[GraderConfig, ...] = ()
    judges: tuple[JudgeConfig, ...] = ()
    shadow: ShadowConfig | None = None
    guard: GuardSettings = _GUARD
    promises: tuple[Promise, ...] = ()
    alerts: AlertSettings = _ALERTS
    from_environment: tuple[FromEnvironment, ...] = ()

    def __post_init__(self) -> None:
        kinds = {provider.name: provider.kind for provider in self.providers}
        object.__setattr__(self, "catalog", self.catalog.speaking(kinds))
