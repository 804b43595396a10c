from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from itertools import count
from typing import Any

import pytest

from banditroute.errors import StoreError, UnknownDecisionError
from banditroute.records import Feedback
from banditroute.routing.lessons import lesson_of
from banditroute.storage.protocol import Dispatch
from banditroute.storage.sharing import Report
from banditroute.testing.postgres_server import PostgresServer
from banditroute.testing.store_contract import judge, settle
from banditroute.testing.store_records import NOON, a_dispatch, a_settlement, assert_same

pytest.importorskip("asyncpg")

import asyncpg

from banditroute.storage.postgres.pruning import Pruner
from banditroute.storage.postgres.store import PostgresStore

_NUMBERS = count()
_DAY_S = 86_400.0


@asynccontextmanager
async def _opened(server: PostgresServer) -> AsyncGenerator[tuple[PostgresStore, Any]]:
    """A store that prunes by whole days, and a connection to its tables."""
    namespace = f"pruning_{next(_NUMBERS)}"
    store = PostgresStore(server.url, namespace=namespace)
    await store.open()
    connection = await asyncpg.connect(server.url, server_settings={"search_path": f"banditroute_{namespace}"})
    try:
        yield store, connection
    finally:
        await connection.close()
        await store.aclose()


def _on(day: int, number: int) -> Dispatch:
    """A decision of that many days after the first."""
    dispatch = a_dispatch(100 * day + number)
    return replace(dispatch, decision=replace(dispatch.decision, at=NOON + day * _DAY_S))


async def _partitions(connection: Any) -> list[str]:
    query = "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'decision'::regclass"
    return sorted(row[0] for row in await connection.fetch(query))


async def test_each_day_is_a_partition_made_ahead(postgres: PostgresServer) -> None:
    async with _opened(postgres) as (store, connection):
        for day in range(3):
            await settle(store, _on(day, 0))
        await store.unsettled()  # by then the writer has looked ahead
        names = [f"decision_202611{number}" for number in range(25, 30)]
        assert await _partitions(connection) == [*names, "decision_kept"]
        assert await connection.fetchval("SELECT count(*) FROM decision_20261126") == 1
        assert await connection.fetchval("SELECT count(*) FROM outcome_20261126") == 1


async def test_days_go_as_whole_partitions_and_their_sums_stay(postgres: PostgresServer) -> None:
    async with _opened(postgres) as (store, connection):
        for day in range(3):
            for number in range(4):
                await judge(store, _on(day, number), await settle(store, _on(day, number)), 0.5)
        state = await store.state()
        assert await store.prune(NOON + 2 * _DAY_S + 3600.0) == 8
        assert "decision_20261125" not in await _partitions(connection)
        assert "decision_20261127" in await _partitions(connection)
        assert_same(await store.state(), state)
        assert_same(await store.rebuilt(), state)
        assert len([trail async for trail in store.trails()]) == 4
        assert await store.prune(NOON + 2 * _DAY_S + 3600.0) == 0
        assert (await store.exchange(Report("a", 1.0, 1.0))).paid == state.paid


async def test_the_day_of_the_instant_stays_whole(postgres: PostgresServer) -> None:
    async with _opened(postgres) as (store, _):
        await settle(store, _on(0, 0))
        assert await store.prune(NOON + 3600.0) == 0
        assert (await store.trail("decision-000000")).outcome is not None


async def test_what_has_no_outcome_outlives_its_day(postgres: PostgresServer) -> None:
    """It is settled and judged later, counts once, and goes the next time."""
    async with _opened(postgres) as (store, _):
        late = _on(0, 1)
        await settle(store, _on(0, 0))
        store.begin(late)
        assert await store.prune(NOON + 2 * _DAY_S) == 1
        assert await store.unsettled() == [late]
        settlement = a_settlement(late)
        assert await store.settle(settlement)
        feedback = Feedback(late.decision.decision_id, 0.5)
        assert await store.judge(feedback, lesson_of(late.decision, settlement.outcome, feedback))
        assert not await store.settle(settlement)
        assert_same(await store.state(), await store.rebuilt())
        state = await store.state()
        assert await store.prune(NOON + 2 * _DAY_S) == 1
        assert_same(await store.rebuilt(), state)
        with pytest.raises(UnknownDecisionError):
            await store.trail(late.decision.decision_id)


async def test_a_day_that_was_dropped_is_made_again_when_a_decision_of_it_comes(postgres: PostgresServer) -> None:
    async with _opened(postgres) as (store, _):
        await settle(store, _on(0, 0))
        assert await store.prune(NOON + 5 * _DAY_S) == 1
        await settle(store, _on(0, 1))
        assert_same(await store.state(), await store.rebuilt())


async def test_a_crash_between_the_two_steps_loses_nothing(postgres: PostgresServer) -> None:
    """The day is out of the log, and its sums are not among the retired ones yet."""
    async with _opened(postgres) as (store, connection):
        for day in range(2):
            await judge(store, _on(day, 0), await settle(store, _on(day, 0)), 0.5)
        state = await store.state()
        await store.exchange(Report("a", 1.0, 1.0))
        async with connection.transaction():
            for table in ("decision", "outcome", "feedback"):
                await connection.execute(f"ALTER TABLE {table} DETACH PARTITION {table}_20261125")
            await connection.execute("INSERT INTO detached VALUES ('2026-11-25')")
        assert_same(await store.rebuilt(), state)
        assert await store.prune(NOON) == 1
        assert_same(await store.rebuilt(), state)
        assert await connection.fetchval("SELECT to_regclass('decision_20261125')") is None


async def test_a_decision_of_a_day_on_its_way_out_is_kept_beside_it(postgres: PostgresServer) -> None:
    async with _opened(postgres) as (store, connection):
        await settle(store, _on(3, 0))
        await connection.execute("CREATE TABLE decision_20261125 (a int)")
        await connection.execute("INSERT INTO detached VALUES ('2026-11-25')")
        await settle(store, _on(0, 0))
        assert await connection.fetchval("SELECT count(*) FROM decision_kept") == 1
        assert (await store.trail("decision-000000")).outcome is not None
        await connection.execute("DELETE FROM detached")


async def test_readers_in_the_way_put_it_off(postgres: PostgresServer) -> None:
    async with _opened(postgres) as (store, connection):
        await settle(store, _on(0, 0))
        state = await store.state()
        async with connection.transaction():
            await connection.fetch("SELECT * FROM decision")
            assert await store.prune(NOON + _DAY_S) == 0
            await settle(store, _on(0, 1))
        assert await store.prune(NOON + _DAY_S) == 2
        assert set(state.evidence) <= set((await store.rebuilt()).evidence)
        assert_same(await store.rebuilt(), await store.state())


async def test_a_tenant_is_deleted_once_a_prune_that_is_under_way_is_through(
    postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A day that was taken out of the log is nowhere that a deletion looks."""
    async with _opened(postgres) as (store, connection):
        for day in range(2):
            await settle(store, _on(day, 0))
        state = await store.state()
        monkeypatch.setattr(Pruner, "_retire_days", _killed)
        with pytest.raises(StoreError, match="killed"):
            await store.prune(NOON + _DAY_S)
        monkeypatch.undo()
        assert await connection.fetchval("SELECT count(*) FROM detached") == 1
        schema = await connection.fetchval("SELECT current_schema")
        await connection.execute(f"SELECT pg_advisory_lock({schema}.lock_of(4))")
        deleting = asyncio.create_task(store.delete_tenant("acme"))
        await asyncio.sleep(0.2)
        assert not deleting.done()
        await connection.execute(f"SELECT pg_advisory_unlock({schema}.lock_of(4))")
        assert (await deleting).decisions == 1
        assert await connection.fetchval("SELECT count(*) FROM detached") == 0
        assert (await store.state()).paid == state.paid
        assert_same(await store.state(), await store.rebuilt())


async def _killed(_: Pruner) -> int:
    raise StoreError("killed")
