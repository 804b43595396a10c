from __future__ import annotations

from dataclasses import replace

import pytest

from banditroute.errors import ConfigError, InputError, StoreError
from banditroute.testing.postgres_server import PostgresServer
from banditroute.testing.store_contract import settle
from banditroute.testing.store_records import a_dispatch

pytest.importorskip("asyncpg")

from banditroute.storage.postgres.address import Place
from banditroute.storage.postgres.days import KEPT, day_of, days_ahead, start_of
from banditroute.storage.postgres.reader import PostgresReader
from banditroute.storage.postgres.store import PostgresStore

SECRET = "postgresql://user:hunter2@127.0.0.1:1/base?sslpassword=hunter3"


async def test_what_is_shown_holds_no_secret() -> None:
    assert "hunter" not in repr(Place(SECRET)) + str(Place(SECRET))
    store = PostgresStore(SECRET, patience_s=0.1)
    with pytest.raises(StoreError, match=r"127.0.0.1:1/base#default: cannot .* check that the server runs") as caught:
        await store.open()
    assert "hunter" not in str(caught.value)
    await store.aclose()


@pytest.mark.parametrize(("url", "namespace"), [("redis://localhost", "default"), ("postgresql://localhost", "A-b")])
def test_another_address_is_refused(url: str, namespace: str) -> None:
    with pytest.raises(ConfigError, match=r"no URL of a PostgreSQL database|cannot be the name of a schema"):
        PostgresStore(url, namespace=namespace)


async def test_a_database_that_is_not_there_says_so(postgres: PostgresServer) -> None:
    store = PostgresStore(postgres.url.replace("/postgres?", "/nowhere?"))
    with pytest.raises(StoreError, match="make the database first"):
        await store.open()


async def test_text_that_the_database_cannot_hold_is_refused_at_once(postgres: PostgresServer) -> None:
    store = PostgresStore(postgres.url, namespace="texts")
    await store.open()
    dispatch = a_dispatch(1)
    with pytest.raises(InputError, match="number 0"):
        store.begin(replace(dispatch, decision=replace(dispatch.decision, decision_id="a\0b")))
    await settle(store, dispatch)
    await store.aclose()


async def test_a_reader_sees_what_was_written_and_outlives_a_lost_connection(postgres: PostgresServer) -> None:
    store, reader = (kind(postgres.url, namespace="reading") for kind in (PostgresStore, PostgresReader))
    await store.open()
    await reader.open()
    settlement = await settle(store, a_dispatch(1))
    assert [trail.outcome for trail in await reader.recent(5)] == [settlement.outcome]
    assert reader._connection is not None
    reader._connection.terminate()
    found = await reader.compared()
    assert found.kept.paid == found.rebuilt.paid == {"paced": (1, settlement.outcome.cost_usd)}
    assert (await reader.trail("decision-000001")).outcome == settlement.outcome
    await reader.aclose()
    await store.aclose()


def test_days_are_of_utc_and_any_instant_has_one() -> None:
    assert str(day_of(1_795_608_000.0)) == "2026-11-25"
    assert day_of(start_of(day_of(1_795_608_000.0))) == day_of(1_795_608_000.0)
    assert [day_of(at) for at in (-1e300, -1.0, 0.0, 86_399.0)] == [KEPT] * 4
    assert days_ahead(day_of(1e300))[-1].year == 9999
