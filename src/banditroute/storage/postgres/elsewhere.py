"""Whether what a log amounts to is kept beside it, in Redis, and which edition of that counts."""

from __future__ import annotations

from typing import NamedTuple

from banditroute.errors import StoreError

from .address import Place
from .driver import Connection

_FIND = "SELECT edition, changes FROM {schema}.elsewhere"


class Elsewhere(NamedTuple):
    """What the log knows of sums that are kept elsewhere.

    Attributes:
        edition: the one that counts.
        changes: how often it had been changed, at least, when rows of the log were last taken for added.
    """

    edition: int
    changes: int


async def find_elsewhere(connection: Connection, place: Place) -> Elsewhere | None:
    """What the log knows of sums that are kept elsewhere; None where they are kept with it.

    Raises:
        asyncpg.PostgresError, OSError: it cannot be read.
    """
    row = await connection.fetchrow(place.sql(_FIND))
    return None if row is None else Elsewhere(*row.values())


async def check_here(connection: Connection, place: Place) -> None:
    """Nothing, where the sums are kept with the log.

    Raises:
        StoreError: they are in Redis.
        asyncpg.PostgresError, OSError: it cannot be read.
    """
    if await find_elsewhere(connection, place) is not None:
        remedy = 'write [store] kind = "redis" and log = "postgres", or name another namespace'
        raise StoreError(f"{place}: what this log amounts to is kept in Redis; {remedy}")
