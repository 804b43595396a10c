from __future__ import annotations

import sqlite3
from pathlib import Path

import numpy as np
import pytest

from banditroute.errors import StoreError
from banditroute.learning.evidence import Evidence
from banditroute.storage import schema
from banditroute.storage.schema import MIGRATIONS, migrate
from banditroute.storage.sqlite import SQLiteStore
from banditroute.testing.store_records import a_dispatch, a_settlement, an_alarm, assert_same

FIRST = Path(__file__).parents[2] / "data" / "store_v1.sql"


@pytest.fixture
def connection(tmp_path: Path):
    connection = sqlite3.connect(tmp_path / "store.db", isolation_level=None)
    yield connection
    connection.close()


def tables(connection: sqlite3.Connection) -> set[str]:
    return {name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}


async def test_a_file_of_the_first_version_is_read_and_written(tmp_path: Path) -> None:
    """The file was written by version 1 and must be understood by every later one."""
    path = tmp_path / "store.db"
    connection = sqlite3.connect(path)
    connection.executescript(FIRST.read_text(encoding="utf-8"))
    connection.close()
    store = SQLiteStore(path)
    await store.open()
    trails = [trail async for trail in store.trails()]
    assert [trail.dispatch for trail in trails] == [a_dispatch(2), a_dispatch(3), a_dispatch(4)]
    assert trails[0].outcome == a_settlement(a_dispatch(2)).outcome
    assert [feedback.quality for feedback in trails[0].feedback] == [0.9]
    assert_same(await store.state(), await store.rebuilt())
    assert sum(float(s.n) for e, s in (await store.state()).evidence.items() if e.signal == "log_tokens") == 3
    assert await store.settle(a_settlement(a_dispatch(4)))
    await store.adjust([an_alarm(1)], dict.fromkeys((await store.state()).evidence, _nothing()))
    assert await store.alarms(5) == [an_alarm(1)]
    assert_same(await store.state(), await store.rebuilt())
    await store.aclose()


def _nothing() -> Evidence:
    return Evidence(np.zeros((5, 5)), np.zeros(5), np.array(0.0), np.array(0.0))


async def test_a_newer_file_is_left_alone(tmp_path: Path, connection: sqlite3.Connection) -> None:
    connection.execute("PRAGMA user_version = 99")
    with pytest.raises(StoreError, match=r"store\.db: its tables are of version 99.*upgrade banditroute"):
        await SQLiteStore(tmp_path / "store.db").open()
    assert tables(connection) == set()


def test_steps_are_taken_once_and_in_order(connection: sqlite3.Connection) -> None:
    migrate(connection, "x", ("CREATE TABLE a (x)",))
    migrate(connection, "x", ("CREATE TABLE a (x)", "INSERT INTO a VALUES (1)"))
    migrate(connection, "x", ("CREATE TABLE a (x)", "INSERT INTO a VALUES (1)"))
    assert connection.execute("SELECT count(*) FROM a").fetchone() == (1,)


def test_a_step_that_fails_changes_nothing(connection: sqlite3.Connection) -> None:
    migrate(connection, "x", MIGRATIONS)
    before = tables(connection)
    with pytest.raises(sqlite3.OperationalError):
        migrate(connection, "x", (*MIGRATIONS, "CREATE TABLE b (x); SELECT nonsense"))
    assert tables(connection) == before
    assert connection.execute("PRAGMA user_version").fetchone() == (len(MIGRATIONS),)


def test_the_first_step_is_as_it_was_published() -> None:
    connection = sqlite3.connect(":memory:")
    connection.executescript(FIRST.read_text(encoding="utf-8"))
    published = {sql for (sql,) in connection.execute("SELECT sql FROM sqlite_schema") if sql}
    connection.close()
    fresh = sqlite3.connect(":memory:", isolation_level=None)
    migrate(fresh, "x", schema.MIGRATIONS[:1])
    assert {sql for (sql,) in fresh.execute("SELECT sql FROM sqlite_schema") if sql} == published
    fresh.close()
