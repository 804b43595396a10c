"""Connections to one database, set up alike."""

from __future__ import annotations

import contextlib

from .address import Place
from .driver import Connection, asyncpg
from .faults import LOST

_CONNECT_S = 2.0
_COMMAND_S = 5.0
_CLOSE_S = 1.0

LONG_S = 600.0
"""Seconds for statements that look at many rows."""


# Every query here is by key and finds few rows; plans are kept while tables grow from nothing to millions of rows, so
# what was right for an empty table must not be chosen.
_SETTINGS = {
    "application_name": "banditroute",
    "default_transaction_isolation": "read committed",  # under a lock, each statement must see what others committed
    "enable_seqscan": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
    "jit": "off",
    "plan_cache_mode": "force_generic_plan",
    "timezone": "UTC",
}


async def connect(place: Place, command_s: float = _COMMAND_S) -> Connection:
    """A connection.

    Args:
        place: where the store is.
        command_s: seconds for a statement.

    Raises:
        OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError: there is none to be had.
    """
    return await asyncpg.connect(
        place.url, timeout=_CONNECT_S, command_timeout=command_s, server_settings=dict(_SETTINGS)
    )


async def disconnect(connection: Connection) -> None:
    """Lets go of a connection, whether or not the server answers."""
    with contextlib.suppress(*LOST):
        await connection.close(timeout=_CLOSE_S)
