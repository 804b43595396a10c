"""Routers as a service opens them: a router.toml, and real servers on loopback behind it; one `Lab` for each test."""

import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import pytest

from banditroute import open_router
from banditroute.config import load_config
from banditroute.gateway.serve import Gateway, Place, gateway
from banditroute.observe import Event
from banditroute.router import Router
from banditroute.testing.faults import Fault
from banditroute.testing.faulty_server import FaultyServer

Fields = Mapping[str, Any]

NONE: Fields = MappingProxyType({})
KEYS = MappingProxyType({"LAB_KEY": "sk-main", "LAB_SPARE": "sk-spare"})
SECTIONS: Mapping[str, Fields] = MappingProxyType(
    {
        "timeouts": {"connect_s": 0.5, "whole_s": 0.4, "first_token_s": 0.3, "between_chunks_s": 0.25, "total_s": 0.6},
        "retry": {"base_s": 0.01, "cap_s": 0.05},
        "breaker": {"knock_s": 0.0},  # servers see what tests send them and nothing else
        "routing": {"deadline_s": 5.0, "seed": 7},
        "store": {"kind": "memory"},
    }
)


class Served(NamedTuple):
    """A model: the server behind it and, where they differ from the usual, the fields of its table."""

    server: FaultyServer | str
    fields: Fields = NONE
    keys: tuple[str, ...] = ("LAB_KEY",)


class Events:
    """An observer that remembers."""

    def __init__(self) -> None:
        self.all: list[Event] = []

    def notify(self, event: Event) -> None:
        self.all.append(event)

    def of(self, kind: type[Any]) -> list[Any]:
        """The events of a kind."""
        return [event for event in self.all if isinstance(event, kind)]


class Lab:
    """Servers and routers of one test, closed at its end.

    Attributes:
        folder: where router.toml and the store are.
        events: what its routers told.
        servers: all of them.
    """

    def __init__(self, folder: Path, stack: AsyncExitStack) -> None:
        self.folder = folder
        self.events = Events()
        self.servers: list[FaultyServer] = []
        self._stack = stack

    async def server(self, default: str | Fault = "ok", script: Sequence[str | Fault] = ()) -> FaultyServer:
        """A server of its own."""
        server = await self._stack.enter_async_context(FaultyServer(script, default))
        self.servers.append(server)
        return server

    def served(self, server: FaultyServer | str, keys: Sequence[str] = ("LAB_KEY",), /, **fields: Any) -> Served:
        """A model behind a server; fields of its table beside it."""
        return Served(server, fields, tuple(keys))

    async def router(self, models: Mapping[str, Served | FaultyServer], **sections: Any) -> Router:
        """An open router; closed with the test if not before."""
        return await self._stack.enter_async_context(self.assembled(models, **sections))

    async def gateway(
        self,
        models: Mapping[str, Served | FaultyServer],
        *,
        environ: Mapping[str, str] = KEYS,
        **sections: Any,
    ) -> Gateway:
        """A gateway that listens, at a port of its own; without keys unless they are asked for."""
        sections = {"gateway": {"auth": "none"}, **sections}
        return await self.gateway_of(self.write(models, **sections), environ)

    async def gateway_of(self, path: Path, environ: Mapping[str, str] = KEYS) -> Gateway:
        """The same of a file."""
        return await self._stack.enter_async_context(gateway(load_config(path), Place(port=0), environ))

    def assembled(
        self,
        models: Mapping[str, Served | FaultyServer],
        *,
        environ: Mapping[str, str] = KEYS,
        budgets: Sequence[Fields] = (),
        **sections: Fields | Sequence[Fields],
    ) -> Router:
        """A router that is not open yet, of the file that `write` writes."""
        return open_router(self.write(models, budgets=budgets, **sections), environ=environ, observer=self.events)

    def write(
        self,
        models: Mapping[str, Served | FaultyServer],
        *,
        budgets: Sequence[Fields] = (),
        **sections: Fields | Sequence[Fields],
    ) -> Path:
        """router.toml; each section's fields go over those of SECTIONS, or are rows of [[tables]]."""
        served = {name: each if isinstance(each, Served) else Served(each) for name, each in models.items()}
        path = self.folder / "router.toml"
        path.write_text("\n".join(_lines(served, budgets, sections)), encoding="utf-8")
        return path

    async def at_rest(self, router: Router) -> None:
        """Asserts that nothing is left behind: no call under way, no dollars held, no decision without an outcome."""
        for server in self.servers:
            assert await server.settled(connections=server.connections), "a server is still asked"
        endpoints = router._works.endpoints.values()
        assert [(each.in_flight, each.waiting) for each in endpoints] == [(0, 0)] * len(endpoints)
        assert reserved_usd(router) == 0.0
        assert await router.learner.store.unsettled() == []


def reserved_usd(router: Router) -> float:
    """Dollars that requests in flight hold of all caps."""
    return sum(account.reserved_usd for account in router.learner.ledger.accounts(time.time()))


@pytest.fixture
async def lab(tmp_path: Path) -> AsyncIterator[Lab]:
    async with AsyncExitStack() as stack:
        yield Lab(tmp_path, stack)


def _lines(
    models: Mapping[str, Served], budgets: Sequence[Fields], sections: Mapping[str, Fields | Sequence[Fields]]
) -> list[str]:
    hosts: dict[tuple[str, tuple[str, ...]], str] = {}
    for each in models.values():
        hosts.setdefault((_url(each.server), each.keys), f"host{len(hosts)}")
    lines: list[str] = []
    for (url, keys), host in hosts.items():
        lines += _table("[[providers]]", {"name": host, "kind": "openai", "base_url": url, "api_key_env": list(keys)})
    for name, each in models.items():
        usual = {"input_usd_per_mtok": 1.0, "output_usd_per_mtok": 2.0}
        place = {"name": name, "provider": hosts[_url(each.server), each.keys]}
        lines += _table("[[models]]", {**place, **usual, **each.fields})
    for budget in budgets:
        lines += _table("[[budgets]]", budget)
    for name in {**SECTIONS, **sections}:
        fields = sections.get(name, NONE)
        for row in fields if isinstance(fields, Sequence) else ():
            lines += _table(f"[[{name}]]", row)
        if isinstance(fields, Mapping):
            lines += _table(f"[{name}]", {**SECTIONS.get(name, NONE), **fields})
    return lines


def _url(server: FaultyServer | str) -> str:
    return server if isinstance(server, str) else server.base_url


def _table(head: str, fields: Fields) -> list[str]:
    return [head, *(f"{key} = {_toml(value)}" for key, value in fields.items()), ""]


def _toml(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(_toml(each) for each in value)}]"
    if isinstance(value, Mapping):
        return f"{{ {', '.join(f'{key} = {_toml(each)}' for key, each in value.items())} }}"
    return repr(value)
