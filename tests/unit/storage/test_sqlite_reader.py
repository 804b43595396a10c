"""Reading a store's file without a hand in it."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from banditroute.errors import StoreError, UnknownDecisionError
from banditroute.storage.protocol import StoredKey
from banditroute.storage.rebuilding import put_right
from banditroute.storage.schema import check_version
from banditroute.storage.sqlite import SQLiteStore
from banditroute.storage.sqlite_reader import SQLiteReader
from banditroute.testing.store_records import a_dispatch, a_settlement, assert_same


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SQLiteStore]:
    store = SQLiteStore(tmp_path / "store.db")
    await store.open()
    for number in range(1, 5):
        store.begin(a_dispatch(number))
        if number < 4:
            await store.settle(a_settlement(a_dispatch(number)))
    await store.state()
    yield store
    await store.aclose()


@pytest.fixture
async def reader(store: SQLiteStore) -> AsyncIterator[SQLiteReader]:
    reader = SQLiteReader(store.path)
    await reader.open()
    yield reader
    await reader.aclose()


async def test_it_finds_what_the_store_finds(store: SQLiteStore, reader: SQLiteReader) -> None:
    assert [trail async for trail in reader.trails()] == [trail async for trail in store.trails()]
    assert await reader.recent(2) == await store.recent(2)
    assert await reader.unsettled() == await store.unsettled() == [a_dispatch(4)]
    assert await reader.trail("decision-000002") == await store.trail("decision-000002")
    assert_same(await reader.state(), await store.state(), rtol=0)
    with pytest.raises(UnknownDecisionError):
        await reader.trail("nobody")
    with pytest.raises(UnknownDecisionError):
        await reader.trail("\ud800")


async def test_it_sees_what_is_written_later(store: SQLiteStore, reader: SQLiteReader) -> None:
    assert await store.settle(a_settlement(a_dispatch(4)))
    assert await reader.unsettled() == []
    kept, rebuilt = await reader.compared()
    assert_same(kept, rebuilt)
    assert kept.paces["paced"].requests == 4


async def test_a_second_opening_and_closing_does_nothing(reader: SQLiteReader) -> None:
    await reader.open()
    assert len(await reader.recent(10)) == 4
    await reader.aclose()
    await reader.aclose()
    with pytest.raises(StoreError, match="closed; open it first"):
        await reader.recent(1)


@pytest.mark.parametrize("script", ["", "CREATE TABLE photos (a); INSERT INTO photos VALUES (1);"])
async def test_a_file_that_no_router_wrote_is_left_as_it_is(tmp_path: Path, script: str) -> None:
    path = tmp_path / "other.db"
    connection = sqlite3.connect(path)
    connection.executescript(script)
    connection.close()
    path.touch()
    before = path.read_bytes()
    with pytest.raises(StoreError, match="no decisions are in it"):
        await SQLiteReader(path).open()
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


async def test_no_file_is_made(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="cannot read the store"):
        await SQLiteReader(tmp_path / "none.db").open()
    with pytest.raises(StoreError, match="cannot rebuild the store"):
        put_right(tmp_path / "none.db")
    assert list(tmp_path.iterdir()) == []


def test_an_older_or_newer_file_is_not_guessed_at(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "store.db")
    connection.execute("PRAGMA user_version = 1")
    with pytest.raises(StoreError, match="run the router once"):
        check_version(connection, "x", ("", ""))
    connection.execute("PRAGMA user_version = 3")
    with pytest.raises(StoreError, match="upgrade banditroute"):
        check_version(connection, "x", ("", ""))
    connection.close()


async def test_a_state_is_put_right_also_after_a_crash(store: SQLiteStore, tmp_path: Path) -> None:
    """The copy has what a kill leaves: rows that are only in the log beside the file."""
    copy = tmp_path / "copy.db"
    shutil.copy(store.path, copy)
    shutil.copy(f"{store.path}-wal", f"{copy}-wal")
    found = put_right(copy)
    assert_same(found.kept, found.rebuilt)
    assert found.rebuilt.paces["paced"].requests == 3
    put_right(copy)
    reader = SQLiteReader(copy)
    await reader.open()
    assert_same((await reader.compared()).kept, found.rebuilt)
    await reader.aclose()


async def test_a_store_in_use_is_not_put_right(store: SQLiteStore, reader: SQLiteReader) -> None:
    with pytest.raises(StoreError, match="has it open; stop it, then rebuild"):
        put_right(store.path)
    await store.aclose()
    with pytest.raises(StoreError, match="has it open"):  # the reader
        put_right(store.path)
    await reader.aclose()
    put_right(store.path)


async def test_a_key_that_is_damaged_is_an_error(store: SQLiteStore, reader: SQLiteReader) -> None:
    await store.keep_key(StoredKey("k1", "laptop", b"digest", models=("small",)))
    [key] = await reader.keys()
    assert (key.models, key.tasks) == (("small",), ())
    with sqlite3.connect(store.path) as other:
        other.execute("UPDATE gateway_key SET models = 'small'")
    other.close()
    with pytest.raises(StoreError, match=r"'small'.*the store is damaged"):
        await reader.keys()
