"""Whether the store can be read and written, and how long it keeps what."""

import os
import shutil
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from pathlib import Path

from banditroute.assemble import open_store_reader
from banditroute.cli.doctoring.lines import Line, State
from banditroute.cli.store_file import is_there
from banditroute.config import StoreConfig
from banditroute.config.values import RouterConfig
from banditroute.errors import ConfigError, MissingExtraError, StoreError
from banditroute.storage.protocol import StoredKey
from banditroute.storage.upgrading import upgrade_of

_DAY_S = 86_400.0
_LEAST_FREE_BYTES = 500 * 2**20


async def store_lines(store: StoreConfig) -> AsyncIterator[Line]:
    """The store's lines."""
    if store.kind == "memory":
        yield Line(State.look, "store", "memory: all is forgotten with the process", 'set kind = "sqlite" to keep it')
        return
    problem = _unwritable(store.path) if store.kind == "sqlite" else None
    if problem is not None:
        yield problem
        return
    if store.kind == "sqlite" and not store.path.exists():
        yield Line(State.ok, "store", f"{store.path}: not there yet, made by the first request; {_kept(store)}")
    else:
        yield await _opened(store)
    if store.kind == "sqlite" and (free := shutil.disk_usage(store.path.absolute().parent).free) < _LEAST_FREE_BYTES:
        told = f"{free / 2**20:,.0f} MB are free where {store.path} is"
        yield Line(State.look, "store", told, "make room: with a full disk nothing is learned")


async def keys_made(config: RouterConfig) -> Sequence[StoredKey]:
    """The gateway's keys that are kept in the store; none where it cannot be read, which is told elsewhere."""
    if config.store.kind == "memory" or not is_there(config):
        return ()
    try:
        async with aclosing(open_store_reader(config.store)) as reader:
            await reader.open()
            return await reader.keys()
    except (StoreError, ConfigError, MissingExtraError):
        return ()


async def _opened(store: StoreConfig) -> Line:
    try:
        if store.kind == "sqlite" and (due := upgrade_of(os.fspath(store.path))).is_due:
            told = f"{store.path}: its tables are of version {due.before}, and become {due.after} as the router starts"
            return Line(State.look, "store", told, "`banditroute db migrate` makes a copy first")
        async with aclosing(open_store_reader(store)) as reader:
            await reader.open()
            decided = len(await reader.recent(1))
    except (StoreError, ConfigError, MissingExtraError) as error:
        return Line(State.wrong, "store", str(error))
    begun = "" if decided else "; no decision yet"
    return Line(State.ok, "store", f"{_named(store)} opens, its schema is this version's; {_kept(store)}{begun}")


def _unwritable(path: Path) -> Line | None:
    folder = path.absolute().parent
    if not folder.is_dir():
        return Line(State.wrong, "store", f"there is no directory {folder}", "make it, or mend store.path")
    for place in (folder, path):
        if place.exists() and not os.access(place, os.W_OK):
            return Line(
                State.wrong, "store", f"{place} cannot be written", "give this user the right to, or mend store.path"
            )
    return None


def _named(store: StoreConfig) -> str:
    return str(store.path) if store.kind == "sqlite" else store.kind


def _kept(store: StoreConfig) -> str:
    return f"decisions are kept {'for ever' if store.retention_s is None else f'{store.retention_s / _DAY_S:g} days'}"
