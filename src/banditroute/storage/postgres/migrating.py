"""The tables and functions, as numbered steps from an empty schema; a step that was published is never changed."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from banditroute.errors import StoreError

from .address import Place
from .connecting import LONG_S
from .driver import Connection

_NAMES = ("0001_log", "0002_sums", "0003_sharing", "0004_incidents", "0005_named", "0006_prompts", "0007_elsewhere")
_LOCK = "SELECT pg_advisory_xact_lock(hashtextextended('banditroute {schema}', 3))"
_EXISTS = "SELECT to_regclass('{schema}.migration') IS NOT NULL"
_VERSION = "SELECT coalesce(max(version), 0) FROM {schema}.migration"
_TABLE = "CREATE TABLE {schema}.migration (version int PRIMARY KEY, made_at timestamptz NOT NULL DEFAULT now())"
_HAS_SCHEMA = "SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = '{schema}')"


@cache
def steps() -> tuple[str, ...]:
    """Step i brings a schema of version i to version i + 1."""
    folder = files("banditroute.storage.postgres") / "migrations"
    return tuple((folder / f"{name}.sql").read_text() for name in _NAMES)


async def migrate(connection: Connection, place: Place, known: tuple[str, ...] | None = None) -> None:
    """Brings a schema up to date, all or nothing; makes it where there is none.

    Raises:
        StoreError: a newer version of the library wrote it.
        asyncpg.PostgresError: it cannot be read or written.
    """
    known = steps() if known is None else known
    if await _version(connection, place, known) == len(known):
        return
    async with connection.transaction():
        await connection.execute(place.sql(_LOCK))  # another process may be at it
        if not await connection.fetchval(place.sql(_HAS_SCHEMA)):
            await connection.execute(place.sql("CREATE SCHEMA {schema}"))
        if not await connection.fetchval(place.sql(_EXISTS)):
            await connection.execute(place.sql(_TABLE))
        done = await _version(connection, place, known)
        for number, step in enumerate(known[done:], done + 1):
            await connection.execute(place.sql(step), timeout=LONG_S)
            await connection.execute(place.sql("INSERT INTO {schema}.migration (version) VALUES ($1)"), number)


async def check_version(connection: Connection, place: Place) -> None:
    """Nothing, where the tables are the ones that this library reads.

    Raises:
        StoreError: no router wrote the schema, or one of another version.
        asyncpg.PostgresError: it cannot be read.
    """
    version = await _version(connection, place, steps())
    if version == 0:
        raise StoreError(f"{place}: no decisions are in it; run the router first, or check the address and namespace")
    if version < len(steps()):
        raise StoreError(
            f"{place}: its tables are of version {version}, this banditroute reads {len(steps())}; "
            "run the router once, which brings them up to date"
        )


async def _version(connection: Connection, place: Place, known: tuple[str, ...]) -> int:
    if not await connection.fetchval(place.sql(_EXISTS)):
        return 0
    version: int = await connection.fetchval(place.sql(_VERSION))
    if version > len(known):
        raise StoreError(
            f"{place}: its tables are of version {version}, this banditroute knows {len(known)}; upgrade banditroute"
        )
    return version
