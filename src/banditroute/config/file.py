"""The whole of router.toml as tables, and the values that they stand for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

from pydantic import Field

from banditroute.config.alert_tables import AlertsTable, WebhookTable
from banditroute.config.budget_tables import BudgetTable
from banditroute.config.delivery_tables import BreakerTable, HedgeTable, RetryTable, TimeoutsTable, TransportTable
from banditroute.config.drift_table import DriftTable
from banditroute.config.grader_tables import GraderTable, JudgeTable, graders
from banditroute.config.guard_tables import GuardTable
from banditroute.config.model_tables import ModelTable, TierTable
from banditroute.config.promise_tables import PromiseTable
from banditroute.config.provider_tables import ProviderTable
from banditroute.config.rollout_tables import RolloutTable
from banditroute.config.routing_tables import ExploreTable, GatewayKeyTable, GatewayTable, RoutingTable, StoreTable
from banditroute.config.shadow_tables import ShadowTable
from banditroute.config.table import Table
from banditroute.config.task_tables import RuleTable, TaskTable, TrustTable
from banditroute.config.values import ProviderConfig, RouterConfig
from banditroute.delivery.settings import Timeouts, Transport
from banditroute.routing.catalog import Catalog


class RouterFile(Table):
    """A router.toml."""

    providers: list[ProviderTable] = Field(min_length=1, description="who serves models")
    models: list[ModelTable] = Field(min_length=1, description="what may be called")
    budgets: list[BudgetTable] = Field(default=[], description="what may be spent: any number, all hold at once")
    promises: list[PromiseTable] = Field(default=[], description="how few answers may be late; all hold at once")
    store: StoreTable = Field(default_factory=StoreTable, description="where decisions and what they taught are kept")
    routing: RoutingTable = Field(default_factory=RoutingTable, description="how models are chosen")
    tasks: list[TaskTable] = Field(
        default=[], description="task classes of your own, beside the shipped nine, known by examples"
    )
    rules: list[RuleTable] = Field(
        default=[], description="name classes by a request's signs; the first that matches decides"
    )
    trust: TrustTable = Field(default_factory=TrustTable, description="whose word on quality counts how much")
    graders: list[GraderTable] = Field(default=[], description="say how good an answer is, by themselves and at once")
    judges: list[JudgeTable] = Field(default=[], description="models that say how good a share of the answers is")
    timeouts: TimeoutsTable = Field(
        default_factory=TimeoutsTable, description="time limits of one attempt, for every provider"
    )
    transport: TransportTable = Field(default_factory=TransportTable, description="the way to every provider")
    retry: RetryTable = Field(default_factory=RetryTable, description="when and how often to ask again")
    breaker: BreakerTable = Field(
        default_factory=BreakerTable, description="when a model's circuit opens: it is left alone for a while"
    )
    hedge: HedgeTable = Field(
        default_factory=HedgeTable, description="when a second call is made beside a slow first one"
    )
    shadow: ShadowTable | None = Field(
        default=None, description="decides beside the router, calls nobody, is kept on record: what would it have got?"
    )
    guard: GuardTable = Field(
        default_factory=GuardTable, description="keeps live decisions from what you do not want; by default nothing"
    )
    alerts: AlertsTable = Field(
        default_factory=AlertsTable, description="what whoever runs the router is told, and where"
    )
    gateway: GatewayTable | None = Field(
        default=None, description="who may use what `banditroute serve` serves; left out: whoever is on this machine"
    )

    def value(self, path: Path) -> RouterConfig:
        """The configuration; paths in it are taken from the file's folder.

        Raises:
            ConfigError: two models have the same name.
        """
        folder = path.parent
        judges = tuple(table.value() for table in self.judges)
        return RouterConfig(
            path=path,
            providers=tuple(self._provider(table, folder) for table in self.providers),
            catalog=Catalog(tuple(table.value for table in self.models)),
            budgets=(*(table.value for table in self.budgets), *(cap for judge in judges for cap in judge.caps)),
            store=self.store.value(folder),
            retrying=self.retry.value(),
            breaking=self.breaker.value(),
            hedging=self.hedge.value(),
            routing=self.routing.value(folder),
            gateway=None if self.gateway is None else self.gateway.value(folder),
            tasks=tuple(table.value() for table in self.tasks),
            rules=tuple(table.value() for table in self.rules),
            trust=self.trust.value(),
            graders=graders(self.graders),
            judges=judges,
            shadow=None if self.shadow is None else self.shadow.value(folder),
            guard=self.guard.value(),
            alerts=self.alerts.value(),
            promises=tuple(table.value for table in self.promises),
        )

    def _provider(self, table: ProviderTable, folder: Path) -> ProviderConfig:
        provider = table.value(self.timeouts.over(Timeouts()), self.transport.over(Transport()))
        ca_file = provider.transport.tls_ca_file
        if ca_file is None:
            return provider
        found = str(folder / Path(ca_file).expanduser())
        return replace(provider, transport=replace(provider.transport, tls_ca_file=found))


TABLES: Mapping[str, type[Table]] = MappingProxyType(
    {
        "": RouterFile,
        "providers": ProviderTable,
        "models": ModelTable,
        "tiers": TierTable,
        "budgets": BudgetTable,
        "promises": PromiseTable,
        "store": StoreTable,
        "routing": RoutingTable,
        "explore": ExploreTable,
        "drift": DriftTable,
        "rollout": RolloutTable,
        "tasks": TaskTable,
        "rules": RuleTable,
        "trust": TrustTable,
        "graders": GraderTable,
        "judges": JudgeTable,
        "timeouts": TimeoutsTable,
        "transport": TransportTable,
        "retry": RetryTable,
        "breaker": BreakerTable,
        "hedge": HedgeTable,
        "shadow": ShadowTable,
        "guard": GuardTable,
        "alerts": AlertsTable,
        "webhook": WebhookTable,
        "gateway": GatewayTable,
        "keys": GatewayKeyTable,
    }
)
"""The tables by the key that they stand under."""
