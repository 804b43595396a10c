"""What there is to know of a store's file beside what the log amounts to: health, size, who is at work on it."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from .connecting import connect_to_read, transaction
from .copying import damages
from .faults import explained
from .schema import MIGRATIONS, version_of

_TABLES = ("decision", "outcome", "feedback")
_OLDEST = "SELECT min(at) FROM decision"
_PROMPTS = "SELECT count(*) FROM decision WHERE prompt IS NOT NULL"
_HOLDERS = "SELECT name, alive_until FROM holder ORDER BY joined"
_LEASES = "SELECT budget, period, holder, usd, until FROM lease ORDER BY budget, period, holder"


class Holder(NamedTuple):
    """A process that shares the store, and until when it counts as alive without being heard of."""

    name: str
    alive_until: float


class Lease(NamedTuple):
    """Dollars of a window that a process may spend until an instant."""

    budget: str
    period: str
    holder: str
    usd: float
    until: float


class Examined(NamedTuple):
    """A file as it was found.

    Attributes:
        version: of its tables.
        latest: the version that this library reads; of an older file nothing but its damages is looked at.
        damages: what SQLite finds wrong with it, a line each.
        size_bytes: of the file; log_bytes: of the log beside it.
        rows: how many each table of the log has, and how many prompts are kept.
        oldest_at: when the oldest decision was made; None = there is none.
        holders: the processes that share it.
        leases: what they may spend.
    """

    version: int
    latest: int
    damages: tuple[str, ...]
    size_bytes: int
    log_bytes: int
    rows: Mapping[str, int] = MappingProxyType({})
    oldest_at: float | None = None
    holders: tuple[Holder, ...] = ()
    leases: tuple[Lease, ...] = ()

    @property
    def is_current(self) -> bool:
        """Whether the tables are the ones that this library reads."""
        return self.version == self.latest


def examined(path: str) -> Examined:
    """Looks at a file beside whoever writes it; reads all of it.

    Raises:
        StoreError: it cannot be read, or a newer version of the library wrote it.
    """
    with (
        explained(path, "read the store"),
        closing(connect_to_read(path)) as connection,
        transaction(connection, "DEFERRED"),
    ):
        return _examined(connection, path)


def _examined(connection: sqlite3.Connection, path: str) -> Examined:
    found = Examined(
        version_of(connection, path),
        len(MIGRATIONS),
        damages(connection),
        _size_of(path),
        _size_of(f"{path}-wal"),
    )
    if not found.is_current or found.damages:
        return found
    rows = {table: connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in _TABLES}
    return found._replace(
        rows=rows | {"prompt": connection.execute(_PROMPTS).fetchone()[0]},
        oldest_at=connection.execute(_OLDEST).fetchone()[0],
        holders=tuple(Holder(*row) for row in connection.execute(_HOLDERS)),
        leases=tuple(Lease(*row) for row in connection.execute(_LEASES)),
    )


def _size_of(path: str) -> int:
    return Path(path).stat().st_size if Path(path).exists() else 0
