from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from itertools import count
from typing import Any

import pytest

from banditroute.errors import StoreError
from banditroute.testing.postgres_server import PostgresServer

pytest.importorskip("asyncpg")

import asyncpg

from banditroute.storage.postgres.address import Place
from banditroute.storage.postgres.migrating import check_version, migrate, steps
from banditroute.storage.postgres.reader import PostgresReader
from banditroute.storage.postgres.store import PostgresStore

_NUMBERS = count()


@asynccontextmanager
async def _place(server: PostgresServer) -> AsyncGenerator[tuple[Place, Any]]:
    place = Place(server.url, f"migrating_{next(_NUMBERS)}")
    connection = await asyncpg.connect(server.url, server_settings={"search_path": place.schema})
    try:
        yield place, connection
    finally:
        await connection.close()


async def _versions(connection: Any) -> list[int]:
    return [row[0] for row in await connection.fetch("SELECT version FROM migration ORDER BY version")]


async def test_steps_are_done_once_and_in_order(postgres: PostgresServer) -> None:
    async with _place(postgres) as (place, connection):
        first = ("CREATE TABLE {schema}.one (a int)",)
        await migrate(connection, place, first)
        await migrate(connection, place, (*first, "CREATE TABLE {schema}.two AS SELECT * FROM {schema}.one"))
        assert await _versions(connection) == [1, 2]
        assert await connection.fetchval("SELECT count(*) FROM two") == 0


async def test_a_step_that_fails_undoes_all(postgres: PostgresServer) -> None:
    async with _place(postgres) as (place, connection):
        with pytest.raises(asyncpg.PostgresError):
            await migrate(connection, place, ("CREATE TABLE {schema}.one (a int)", "SELECT nonsense"))
        assert await connection.fetchval("SELECT to_regclass('one')") is None
        assert await connection.fetchval("SELECT to_regclass('migration')") is None


async def test_many_that_open_at_once_make_the_tables_once(postgres: PostgresServer) -> None:
    async with _place(postgres) as (place, connection):
        stores = [PostgresStore(postgres.url, namespace=place.namespace) for _ in range(6)]
        await asyncio.gather(*(store.open() for store in stores))
        await asyncio.gather(*(store.aclose() for store in stores))
        assert await _versions(connection) == list(range(1, len(steps()) + 1))


async def test_a_newer_version_is_refused_with_what_to_do(postgres: PostgresServer) -> None:
    async with _place(postgres) as (place, connection):
        await migrate(connection, place)
        await connection.execute("INSERT INTO migration (version) VALUES (99)")
        for kind in (PostgresStore, PostgresReader):
            with pytest.raises(StoreError, match=r"of version 99, this banditroute knows \d; upgrade banditroute"):
                await kind(postgres.url, namespace=place.namespace).open()


async def test_a_reader_says_what_is_missing(postgres: PostgresServer) -> None:
    async with _place(postgres) as (place, connection):
        with pytest.raises(StoreError, match="no decisions are in it; run the router first"):
            await PostgresReader(postgres.url, namespace=place.namespace).open()
        await migrate(connection, place, steps()[:1])
        with pytest.raises(StoreError, match="run the router once, which brings them up to date"):
            await check_version(connection, place)
