"""The driver, where it is installed, and the types that it gives."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from banditroute.errors import MissingExtraError

try:
    import asyncpg
except ImportError as error:
    raise MissingExtraError("a PostgreSQL store", "postgres") from error

if TYPE_CHECKING:
    Connection = asyncpg.Connection[asyncpg.Record]
else:
    Connection = Any

__all__ = ["Connection", "asyncpg"]
