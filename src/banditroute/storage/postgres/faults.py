"""What PostgreSQL and the way to it report, in one line that says what to do and holds no secret."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

from banditroute.errors import StoreError

from .driver import asyncpg

_REMEDIES = (
    ("28", "check the user and the password"),
    ("3D000", "make the database first, or check its name"),
    ("42501", "the user may not do this; grant it the schema, or make the schema for it"),
    ("53100", "the server's disk is full; free some space, the process can go on meanwhile"),
    ("53300", "the server has no connection left; raise max_connections or use fewer workers"),
    ("25006", "the server is a standby; give the address of the one that may be written"),
)
_PASSING = ("08", "25006", "40", "53", "55P03", "57P")

LOST = (OSError, TimeoutError, asyncpg.InterfaceError, asyncpg.PostgresError)
"""What the driver raises where a statement did not come to its end."""


def may_pass(error: BaseException) -> bool:
    """Whether the same again may succeed: the way or the server failed, not the statement."""
    if isinstance(error, asyncpg.PostgresError):
        return (error.sqlstate or "08").startswith(_PASSING)
    return isinstance(error, OSError | TimeoutError | asyncpg.InterfaceError)


def is_missing_partition(error: BaseException) -> bool:
    """Whether a row's day has no partition (any more)."""
    return isinstance(error, asyncpg.CheckViolationError)


def store_error(where: str, doing: str, error: BaseException) -> StoreError:
    """The error to raise for one of the driver's: what failed, where, and what to do."""
    code = (error.sqlstate or "") if isinstance(error, asyncpg.PostgresError) else ""
    what = " ".join(str(error).split()) or ("it took too long" if isinstance(error, TimeoutError) else repr(error))
    remedy = next((remedy for begin, remedy in _REMEDIES if code.startswith(begin)), "")
    if not remedy and not code:
        remedy = "check that the server runs and can be reached"
    return StoreError(f"{where}: cannot {doing}: {what}; {remedy}" if remedy else f"{where}: cannot {doing}: {what}")


@contextmanager
def explained(where: str, doing: str) -> Generator[None]:
    """Raises StoreError for what the driver reports inside."""
    try:
        yield
    except LOST as error:
        raise store_error(where, doing, error) from error
