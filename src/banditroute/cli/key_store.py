"""Making, listing and revoking keys in a configuration's store, beside a gateway that may be running on it."""

import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import orjson
import typer

from banditroute.assemble import open_store
from banditroute.cli import event_loop
from banditroute.cli.store_file import is_there, keeping_plan, look
from banditroute.config import RouterConfig
from banditroute.errors import InputError, meant
from banditroute.gateway.keys import check_new_name, new_key, revoked
from banditroute.storage.protocol import Store, StoredKey

T = TypeVar("T")


class Bounds(NamedTuple):
    """What a key may: see `StoredKey`."""

    tenant: str
    models: tuple[str, ...]
    tasks: tuple[str, ...]
    requests_per_minute: float | None
    admin: bool


def make(config: Path, name: str, bounds: Bounds, *, json: bool) -> None:
    """Makes a key, keeps its hash, and prints it.

    Raises:
        ConfigError: the configuration cannot be used, or its store keeps nothing.
        InputError: the name is taken, or there is no such model.
    """
    plan = keeping_plan(config)
    for model in bounds.models:
        if plan.catalog.current(model) is None:
            known = plan.catalog.names
            remedy = f"{meant(model, known)}choose from: {', '.join(known)}"
            raise InputError(f"no model is named {model!r}", remedy=remedy, field="--model")

    async def work(store: Store) -> tuple[str, StoredKey]:
        check_new_name(name, await store.keys(), [key.name for key in plan.gateway.keys] if plan.gateway else ())
        secret, stored = new_key(name, time.time(), **bounds._asdict())
        await store.keep_key(stored)
        return secret, stored

    secret, stored = _at(plan, work)
    if json:
        _print({"key": secret, **_shown(stored)})
    else:
        typer.echo(secret)
        typer.echo(f"key {name!r} is kept as a hash: this is the only time that it is shown", err=True)


def show(config: Path, *, json: bool) -> None:
    """Prints the keys, oldest first.

    Raises:
        ConfigError: the configuration cannot be used, or its store keeps nothing.
    """
    keys = _made(keeping_plan(config))
    if json:
        _print({"keys": [_shown(key) for key in keys]})
        return
    for key in keys:
        typer.echo(_line(key))
    if not keys:
        typer.echo("no key was made yet", err=True)


def take_back(config: Path, name: str, *, json: bool) -> None:
    """Refuses a key from now on.

    Raises:
        ConfigError: the configuration cannot be used, or its store keeps nothing.
        InputError: no key in use has the name.
    """
    plan = keeping_plan(config)
    key = revoked(name, _made(plan), time.time())
    _at(plan, lambda store: store.keep_key(key))
    _print(_shown(key)) if json else typer.echo(f"key {name!r} is revoked")


def _made(plan: RouterConfig) -> list[StoredKey]:
    """The keys in the store; looking for them does not make one."""
    return look(plan, lambda store: store.keys()) if is_there(plan) else []


def _at(plan: RouterConfig, work: Callable[[Store], Awaitable[T]]) -> T:
    async def working() -> T:
        async with aclosing(open_store(plan.store)) as store:
            await store.open()
            return await work(store)

    return event_loop.run(working())


def _shown(key: StoredKey) -> dict[str, Any]:
    return {
        "name": key.name,
        "key_id": key.key_id,
        "tenant": key.tenant,
        "models": key.models,
        "tasks": key.tasks,
        "requests_per_minute": key.requests_per_minute,
        "admin": key.admin,
        "created_at": key.created_at,
        "revoked_at": key.revoked_at,
    }


def _line(key: StoredKey) -> str:
    told = [key.name, f"made {_day(key.created_at)}"]
    told += [f"tenant {key.tenant}"] if key.tenant else []
    told += [f"models {', '.join(key.models)}"] if key.models else []
    told += [f"tasks {', '.join(key.tasks)}"] if key.tasks else []
    told += [f"{key.requests_per_minute:g} a minute"] if key.requests_per_minute else []
    told += ["admin"] if key.admin else []
    told += [f"revoked {_day(key.revoked_at)}"] if key.revoked_at is not None else []
    return "  ".join(told)


def _day(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).date().isoformat()


def _print(value: dict[str, Any]) -> None:
    sys.stdout.write(orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE).decode())
