"""The store that a router.toml names, looked into beside the router that may be at work on it."""

from collections.abc import Awaitable, Callable
from contextlib import aclosing
from pathlib import Path
from typing import TypeVar

from banditroute.assemble import open_store_reader
from banditroute.cli import event_loop
from banditroute.config import RouterConfig, load_config
from banditroute.errors import ConfigError, InputError
from banditroute.storage.rebuilding import ComparingReader

T = TypeVar("T")


def keeping_plan(config: Path) -> RouterConfig:
    """A configuration whose store outlives its process, whether or not it is there yet.

    Raises:
        ConfigError: the configuration cannot be used, or its store keeps nothing.
    """
    plan = load_config(config)
    try:
        open_store_reader(plan.store)
    except ConfigError as error:
        raise ConfigError(error.problem, remedy=error.remedy, path=str(config), field=error.field) from None
    return plan


def stored_plan(config: Path) -> RouterConfig:
    """A configuration whose store is there; no key and no network are needed.

    Raises:
        ConfigError: the configuration cannot be used, or its store keeps nothing.
        InputError: there is no store yet.
    """
    plan = keeping_plan(config)
    if not is_there(plan):
        problem = f"no decisions yet: {plan.store.path} does not exist"
        raise InputError(problem, remedy="run the router first", path=str(config))
    return plan


def is_there(plan: RouterConfig) -> bool:
    """Whether there is a store to look into; of a server, only asking it can tell."""
    return plan.store.kind != "sqlite" or plan.store.path.exists()


def look(plan: RouterConfig, work: Callable[[ComparingReader], Awaitable[T]]) -> T:
    """What the work finds in the store, which it cannot change.

    Raises:
        StoreError: the store cannot be read.
    """

    async def looking() -> T:
        async with aclosing(open_store_reader(plan.store)) as reader:
            await reader.open()
            return await work(reader)

    return event_loop.run(looking())
