"""The store that a router.toml names, opened beside the router that may be at work on it."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeVar

from banditroute.assemble import open_store
from banditroute.config import RouterConfig, load_config
from banditroute.errors import InputError
from banditroute.storage.protocol import Store

T = TypeVar("T")


def with_store(config: Path, work: Callable[[RouterConfig, Store], Awaitable[T]]) -> T:
    """What the work returns on the store of a configuration; no key and no network are needed.

    Raises:
        ConfigError: the configuration cannot be used.
        InputError: its store keeps nothing, or there is none yet.
        StoreError: the store cannot be read.
    """
    plan = load_config(config)
    if plan.store.kind == "memory":
        problem = "a memory store ends with its process"
        raise InputError(problem, remedy='nothing is kept to look at; use kind = "sqlite"', path=str(config))
    if not plan.store.path.exists():
        problem = f"no decisions yet: {plan.store.path} does not exist"
        raise InputError(problem, remedy="run the router first", path=str(config))
    return asyncio.run(_worked(plan, work))


async def _worked(plan: RouterConfig, work: Callable[[RouterConfig, Store], Awaitable[T]]) -> T:
    async with _opened(open_store(plan.store)) as store:
        return await work(plan, store)


@asynccontextmanager
async def _opened(store: Store) -> AsyncGenerator[Store]:
    await store.open()
    try:
        yield store
    finally:
        await store.aclose()
