"""The tables that say how models are chosen, where things are kept, and who may use the gateway."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Literal, cast

from pydantic import Field, field_validator, model_validator

from banditroute.config.drift_table import DriftTable
from banditroute.config.provider_tables import Name, Variable
from banditroute.config.rollout_tables import RolloutTable
from banditroute.config.store_server import check_log, check_server
from banditroute.config.table import Table
from banditroute.config.values import (
    ClassifierKind,
    GatewayConfig,
    GatewayKey,
    OnNewClasses,
    OnNewEncoder,
    RoutingConfig,
    StoreConfig,
    StoreKind,
)
from banditroute.errors import ConfigError
from banditroute.learning.policy import THOMPSON, Exploration, PolicySettings

_STORE, _ROUTING, _GATEWAY = StoreConfig(), RoutingConfig(), GatewayConfig()
_DAY_S = 86_400.0


def _check_store(kind: str) -> str:
    if kind not in ("memory", "sqlite", "redis", "postgres"):
        raise ConfigError(f"expected memory, sqlite, redis or postgres, got {kind!r}", remedy='write "sqlite"')
    return kind


class StoreTable(Table):
    """Where things are kept."""

    kind: str = Field(default="sqlite", description="sqlite | redis | postgres | memory (nothing survives the process)")
    path: Annotated[str, Field(min_length=1)] = Field(
        default=str(_STORE.path), description="the database file, from this file's folder"
    )
    fsync: bool = Field(
        default=_STORE.fsync, description="writes survive a power cut too; costs a disk's fsync each time"
    )
    retention_days: float = Field(
        default=30.0, ge=0, description="days that a decision is kept; 0 = for ever; what it taught stays"
    )
    keep_prompts: bool = Field(default=_STORE.keep_prompts, description="keep the messages of every request")
    keep_prompts_days: float = Field(
        default=0.0, ge=0, description="days that they are kept, where that is shorter; 0 = as long as the decision"
    )

    url: str | None = Field(
        default=None,
        description="where the server of redis or postgres is; for a URL with a password see url_env",
        examples=["redis://127.0.0.1:6379/0"],
    )
    url_env: Variable | None = Field(
        default=None,
        description="NAME of the environment variable that holds the URL, in the place of url",
        examples=["BANDITROUTE_STORE_URL"],
    )
    namespace: str = Field(default=_STORE.namespace, description="which of the stores on that server")

    log: Literal["postgres"] | None = Field(
        default=None,
        description='where the log is, with Redis keeping what it amounts to (kind = "redis"); left out: in Redis too',
        examples=["postgres"],
    )
    log_url: str | None = Field(
        default=None,
        description="where the log's server is; for a URL with a password see log_url_env",
        examples=["postgresql://banditroute@127.0.0.1:5432/banditroute"],
    )
    log_url_env: Variable | None = Field(
        default=None,
        description="NAME of the environment variable that holds the log's URL, in the place of log_url",
        examples=["BANDITROUTE_LOG_URL"],
    )

    shared: bool | None = Field(
        default=None,
        description="several processes use it at once: they share what is learned, and keep caps together; left out: "
        "yes with redis and postgres, no with sqlite",
        examples=[True],
    )
    tick_s: float = Field(
        default=_STORE.tick_s, ge=0.05, le=60.0, description="seconds from one word to the others to the next"
    )

    _check_kind = field_validator("kind")(_check_store)

    @model_validator(mode="after")
    def _check_shared(self) -> StoreTable:
        if self.shared and self.kind == "memory":
            remedy = 'use kind = "sqlite" for processes of one host, redis or postgres for several'
            raise ConfigError("no other process sees a memory store", remedy=remedy, field="shared")
        return self

    @model_validator(mode="after")
    def _check_server(self) -> StoreTable:
        check_server(self.kind, self.url or "", self.url_env or "", self.namespace)
        check_log(self.kind, self.log or "", self.log_url or "", self.log_url_env or "", self.namespace)
        if self.fsync and self.kind in ("redis", "postgres"):
            raise ConfigError(
                f"is of no use to kind = {self.kind!r}", remedy="see what its server writes", field="fsync"
            )
        return self

    def value(self, folder: Path) -> StoreConfig:
        """The store, its path taken from the folder."""
        kind = cast("StoreKind", self.kind)
        path = folder / Path(self.path).expanduser()
        retention_s, prompts_s = self.retention_days * _DAY_S or None, self.keep_prompts_days * _DAY_S or None
        server = self.url or "", self.url_env or "", self.namespace
        shared = kind in ("redis", "postgres") if self.shared is None else self.shared
        return StoreConfig(
            *(kind, path, self.fsync, retention_s, self.keep_prompts, *server, shared, self.tick_s, prompts_s),
            *(self.log or "", self.log_url or "", self.log_url_env or ""),
        )


class ExploreTable(Table):
    """How models that little is known of are tried."""

    sampled: float = Field(
        default=THOMPSON.sampled, ge=0, description="share of what is not known that Thompson sampling draws with"
    )
    decisions: float = Field(
        default=THOMPSON.decisions, ge=0, lt=1, description="most of the decisions that may be tries"
    )
    dollars: float = Field(
        default=THOMPSON.dollars, ge=0, le=1, description="most of a paced budget that tries may spend"
    )
    quality: float = Field(
        default=THOMPSON.quality, ge=0, le=1, description="most quality points per request that tries may cost"
    )

    def value(self) -> PolicySettings:
        """The policy's settings."""
        return PolicySettings(exploration=Exploration(**self.model_dump()))


class RoutingTable(Table):
    """How models are chosen."""

    tasks: list[Name] = Field(
        default=[], description='task classes known from the start, such as ["qa", "code"]; others join as they come'
    )
    classifier: ClassifierKind = Field(
        default=_ROUTING.classifier,
        description="prompt: the shipped classifier names the class where callers do not | none: all are general",
    )
    sure: float = Field(
        default=_ROUTING.sure, ge=0, le=1, description="a class less likely than this is not taken: general instead"
    )
    encoder: Name = Field(
        default=_ROUTING.encoder,
        description="what of a prompt is learned by beside class and length: none | prompt (the shipped encoder) | "
        "your own encoder's entry point, or module:name of a callable",
    )
    on_new_encoder: OnNewEncoder = Field(
        default=_ROUTING.on_new_encoder,
        description="where the store knows another encoder's features: refuse (to start) | restart (learn anew)",
    )
    on_new_classes: OnNewClasses = Field(
        default=_ROUTING.on_new_classes,
        description="where [[tasks]], [[rules]] or the shipped classifier name classes otherwise than when they were "
        "learned of: warn (in the log) | refuse (to start)",
    )
    features: int = Field(
        default=_ROUTING.features,
        ge=0,
        le=512,
        description="how many numbers callers give with every request, in place of the encoder; 0 = none",
    )
    quality_per_s: float = Field(
        default=_ROUTING.quality_per_s, ge=0, description="quality points (of 1) that a second of waiting costs"
    )
    deadline_s: float = Field(
        default=_ROUTING.deadline_s, gt=0, description="seconds for a request, retries and fallbacks included"
    )
    session_ttl_s: float = Field(
        default=_ROUTING.session_ttl_s,
        ge=0,
        description="seconds after an answer that a conversation keeps to its model",
    )
    session_stay_quality: float = Field(
        default=_ROUTING.session_stay_quality,
        ge=0,
        le=1,
        description="quality points that leaving that model must be worth",
    )
    seed: int | None = Field(
        default=None, description="chance starts from it; left out: from the system's", examples=[0]
    )
    warm_start: str | None = Field(
        default=None,
        min_length=1,
        description="a saved policy to begin with, as `banditroute warm-start` writes it; left out: begin with nothing",
        examples=["warm-start.policy.json"],
    )
    explore: ExploreTable = Field(
        default_factory=ExploreTable, description="how models that little is known of are tried"
    )
    drift: DriftTable = Field(
        default_factory=DriftTable, description="how models that change without a word are noticed"
    )
    rollout: RolloutTable = Field(
        default_factory=RolloutTable, description="how models that come while others are in use get their chance"
    )

    @field_validator("tasks")
    @classmethod
    def _check_once(cls, tasks: list[str]) -> list[str]:
        if len(set(tasks)) < len(tasks):
            raise ConfigError("a class stands there twice", remedy="name each once")
        return tasks

    def value(self, folder: Path) -> RoutingConfig:
        """The settings; a relative path is taken from the folder."""
        return RoutingConfig(
            tasks=tuple(self.tasks),
            classifier=self.classifier,
            sure=self.sure,
            encoder=self.encoder,
            on_new_encoder=self.on_new_encoder,
            on_new_classes=self.on_new_classes,
            features=self.features,
            policy=self.drift.value(replace(self.explore.value(), rollout=self.rollout.value())),
            quality_per_s=self.quality_per_s,
            deadline_s=self.deadline_s,
            session_ttl_s=self.session_ttl_s,
            session_stay_quality=self.session_stay_quality,
            seed=self.seed,
            warm_start=None if self.warm_start is None else folder / Path(self.warm_start).expanduser(),
        )


class GatewayKeyTable(Table):
    """A key that a client shows."""

    name: Name = Field(description="what reports call it; unique", examples=["app"])
    key_env: Variable = Field(
        description="NAME of the environment variable that holds it", examples=["BANDITROUTE_KEY_APP"]
    )
    tenant: str = Field(
        default="", description="on whose behalf its requests are; budgets may have it as their scope; empty: they say"
    )
    models: list[Name] = Field(default=[], description="models that may answer it; none = all")
    tasks: list[Name] = Field(default=[], description="task classes of which its requests name one; none = any")
    requests_per_minute: float | None = Field(
        default=None, gt=0, description="how many requests it may make; left out: any number", examples=[600.0]
    )
    admin: bool = Field(default=False, description="may read the decisions of every tenant, and throw switches")

    def value(self) -> GatewayKey:
        """The key."""
        return GatewayKey(
            self.name,
            self.key_env,
            self.tenant,
            tuple(self.models),
            tuple(self.tasks),
            self.requests_per_minute,
            self.admin,
        )


class GatewayTable(Table):
    """Who may use the gateway, and how much of it at once."""

    auth: Literal["keys", "none"] = Field(default=_GATEWAY.auth, description="keys | none (loopback only)")
    max_in_work: int = Field(
        default=_GATEWAY.max_in_work, ge=1, description="requests answered at once; one more is told to come back"
    )
    max_body_mb: float = Field(
        default=_GATEWAY.max_body_bytes / 2**20, ge=0.001, le=1024, description="longest body of a request, in MiB"
    )
    head_s: float = Field(
        default=_GATEWAY.head_s, gt=0, description="seconds for a new connection to send the head of a request"
    )
    body_s: float = Field(default=_GATEWAY.body_s, gt=0, description="seconds for a request to send its body")
    idle_s: float = Field(
        default=_GATEWAY.idle_s, gt=0, description="seconds that a connection is kept between two requests"
    )
    unread_s: float = Field(
        default=_GATEWAY.unread_s, gt=0, description="seconds that an answer waits for a caller who does not read on"
    )
    drain_s: float = Field(
        default=_GATEWAY.drain_s, ge=0, description="seconds that requests may go on once the process is told to end"
    )
    access_log: str = Field(
        default="off",
        min_length=1,
        description="a JSON line for every request: off | stderr | a file, from this file's folder",
    )
    keys: list[GatewayKeyTable] = Field(default=[], description="keys that clients show")

    def value(self, folder: Path) -> GatewayConfig:
        """The settings; the log's path is taken from the folder."""
        return GatewayConfig(
            auth=self.auth,
            keys=tuple(key.value() for key in self.keys),
            max_in_work=self.max_in_work,
            max_body_bytes=int(self.max_body_mb * 2**20),
            head_s=self.head_s,
            body_s=self.body_s,
            idle_s=self.idle_s,
            unread_s=self.unread_s,
            drain_s=self.drain_s,
            access_log=self._log(folder),
        )

    def _log(self, folder: Path) -> Path | Literal["stderr"] | None:
        if self.access_log == "off":
            return None
        return "stderr" if self.access_log == "stderr" else folder / Path(self.access_log).expanduser()
