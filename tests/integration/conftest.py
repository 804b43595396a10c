"""Routers as a service opens them, in front of real servers on loopback: one `Lab` for each test."""

import asyncio
import os
import sys
import types
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from banditroute.delivery.settings import Breaking, Hedging, Retrying, Timeouts, Transport
from banditroute.observe import Event
from banditroute.router import Router
from banditroute.routing.budgets import Cap, PacedBudget
from banditroute.testing.faults import Fault, ok
from banditroute.testing.faulty_exchange import Exchange
from banditroute.testing.faulty_server import FaultyServer

_stub = types.ModuleType("banditroute.config")
for _name in ("ProviderConfig", "RouterConfig", "StoreConfig", "load_config", "require_keys"):
    setattr(_stub, _name, object)
sys.modules.setdefault("banditroute.config", _stub)
from banditroute.assemble import _Assembly
from banditroute.providers.registry import Options
from banditroute.routing.catalog import Capabilities, Catalog, Model, Price

SHORT = Timeouts(connect_s=0.5, first_token_s=0.3, between_chunks_s=0.25, total_s=0.6)
QUICK = Retrying(base_s=0.01, cap_s=0.05)
KEYS = {"LAB_KEY": "sk-main", "LAB_SPARE": "sk-spare"}


@dataclass(frozen=True)
class Served:
    """A model and the server behind it; further fields are those of its table in router.toml."""

    server: FaultyServer | str
    input_usd_per_mtok: float = 1.0
    output_usd_per_mtok: float = 2.0
    upstream: str = ""
    keys: tuple[str, ...] = ("LAB_KEY",)
    fields: Mapping[str, Any] = field(default_factory=dict)

    @property
    def base_url(self) -> str:
        return self.server if isinstance(self.server, str) else self.server.base_url


class Events(list[Event]):
    """An observer that remembers."""

    def notify(self, event: Event) -> None:
        self.append(event)

    def of(self, kind: type[Any]) -> list[Any]:
        return [event for event in self if isinstance(event, kind)]


class Lab:
    """Servers and routers of one test, closed at its end."""

    Served = Served

    def __init__(self, folder: Path, stack: AsyncExitStack) -> None:
        self.folder = folder
        self._stack = stack
        self.events = Events()
        self.servers: list[FaultyServer] = []
        self.routers: list[Router] = []

    async def server(self, default: str | Fault = "ok", script: Sequence[str | Fault] = ()) -> FaultyServer:
        """A server of its own."""
        server = await self._stack.enter_async_context(FaultyServer(script, default))
        self.servers.append(server)
        return server

    async def router(self, models: Mapping[str, Served | FaultyServer], **settings: Any) -> Router:
        """An open router; closed with the test if not before."""
        router = self.closed_router(models, **settings)
        await self._stack.enter_async_context(router)
        self.routers.append(router)
        return router

    def closed_router(
        self,
        models: Mapping[str, Served | FaultyServer],
        *,
        budgets: Sequence[Cap | PacedBudget] = (),
        routing: Mapping[str, Any] | None = None,
        timeouts: Timeouts = SHORT,
        transport: Transport = Transport(),
        retrying: Retrying = QUICK,
        breaking: Breaking = Breaking(),
        hedging: Hedging = Hedging(),
        store: str = "memory",
        environ: Mapping[str, str] = KEYS,
        keep_prompts: bool = False,
    ) -> Router:
        """A router that is not open yet."""
        served = {name: each if isinstance(each, Served) else Served(each) for name, each in models.items()}
        hosts = {(each.base_url, each.keys): f"host{place}" for place, each in enumerate(served.values())}
        plan = SimpleNamespace(
            catalog=Catalog(
                tuple(
                    Model(
                        name,
                        hosts[each.base_url, each.keys],
                        each.upstream or name,
                        Price(each.input_usd_per_mtok, each.output_usd_per_mtok, each.fields.get("cached_input_usd_per_mtok")),
                        Capabilities(**{k: v for k, v in each.fields.items() if k != "cached_input_usd_per_mtok"}),
                    )
                    for name, each in served.items()
                )
            ),
            providers=[
                SimpleNamespace(
                    name=host, kind="openai", base_url=url, api_key_env=keys, transport=transport, timeouts=timeouts,
                    options=Options(),
                )
                for (url, keys), host in hosts.items()
            ],
            budgets=budgets,
            retrying=retrying,
            breaking=breaking,
            hedging=hedging,
            routing=SimpleNamespace(
                **{
                    **dict(tasks=(), policy=None, quality_per_s=0.0, session_ttl_s=300.0, session_stay_quality=0.01, deadline_s=5.0, features=0),
                    **(routing or {}),
                }
            ),
            store=SimpleNamespace(kind=store, path=str(self.folder / "decisions.db"), fsync=False, retention_s=None, keep_prompts=keep_prompts),
        )
        from banditroute.routing.tasks import OneTask
        return _Assembly(plan, environ, self.events).router(None, None)

    async def at_rest(self, router: Router, within_s: float = 2.0) -> None:
        """Asserts that nothing is left behind: no call, no busy connection, no dollars held, no open decision."""
        for server in self.servers:
            assert await server.settled(connections=server.connections, within_s=within_s), "a call goes on"
        accounts = router.learner.ledger.accounts(now())
        assert [account.reserved_usd for account in accounts] == [0.0] * len(accounts)
        assert await router.learner.store.unsettled() == []
        assert [endpoint.in_flight for endpoint in router._connections if hasattr(endpoint, "in_flight")].count(0)


def now() -> float:
    """Seconds since the epoch."""
    import time

    return time.time()


@pytest.fixture
async def lab(tmp_path: Path) -> AsyncIterator[Lab]:
    async with AsyncExitStack() as stack:
        yield Lab(tmp_path, stack)
