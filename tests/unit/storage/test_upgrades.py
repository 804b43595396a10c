"""Files of every version that the tables ever had, read and written by today's code; see tests/data/make_store.py."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from banditroute.errors import InputError, StoreError
from banditroute.storage.copying import copy
from banditroute.storage.examining import examined
from banditroute.storage.schema import MIGRATIONS, migrate
from banditroute.storage.sqlite import SQLiteStore
from banditroute.storage.upgrading import upgrade_of, upgraded
from banditroute.testing.store_records import a_dispatch, a_settlement, assert_same

DATA = Path(__file__).parents[2] / "data"
DUMPS = {int(path.stem.removeprefix("store_v")): path for path in DATA.glob("store_v*.sql")}
LATEST = len(MIGRATIONS)
EARLIER = range(1, LATEST)
KEPT = ("decision", "outcome", "feedback", "alarm", "switches", "gateway_key")
SUMS = ("evidence", "spent", "pace", "retired_evidence", "retired_spent", "retired_pace")

Rows = dict[str, list[dict[str, object]]]


def old_file(folder: Path, version: int) -> Path:
    """A file of that version: as its release wrote it, or as an earlier one did and a later one brought it so far."""
    written = max(each for each in DUMPS if each <= version)
    path = folder / "store.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.executescript(DUMPS[written].read_text(encoding="utf-8"))
        connection.execute("PRAGMA journal_mode = WAL")
        migrate(connection, str(path), MIGRATIONS[:version])
        assert connection.execute("PRAGMA user_version").fetchone() == (version,)
    return path


def rows_of(path: Path, tables: Iterable[str]) -> Rows:
    """All rows of those tables that are there, by column."""
    with closing(sqlite3.connect(path)) as connection:
        connection.row_factory = sqlite3.Row
        there = {row["name"] for row in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
        return {
            table: [dict(row) for row in connection.execute(f"SELECT * FROM {table}")]
            for table in tables
            if table in there
        }


def assert_kept(before: Rows, after: Rows) -> None:
    """Every row is there with all the columns that it had."""
    for table, rows in before.items():
        assert [{name: row[name] for name in old} for old, row in zip(rows, after[table], strict=True)] == rows, table


@pytest.mark.parametrize("version", EARLIER)
async def test_an_earlier_file_keeps_every_row_and_sum(tmp_path: Path, version: int) -> None:
    path = old_file(tmp_path, version)
    before = rows_of(path, (*KEPT, *SUMS))
    assert before["decision"], "the file holds something"
    store = SQLiteStore(path)
    await store.open()
    assert_kept(before, rows_of(path, (*KEPT, *SUMS)))
    trails = [trail async for trail in store.trails()]
    assert [trail.decision.decision_id for trail in trails] == [row["decision_id"] for row in before["decision"]]
    assert sum(trail.outcome is not None for trail in trails) == len(before["outcome"])
    assert sum(len(trail.feedback) for trail in trails) == len(before["feedback"])
    assert [trail.dispatch.prompt for trail in trails] == [row["prompt"] for row in before["decision"]]
    assert len(await store.alarms(9)) == len(before.get("alarm", ()))
    assert [switch.name for switch in await store.switches()] == [row["name"] for row in before.get("switches", ())]
    expected = [(row["key_id"], row["digest"]) for row in before.get("gateway_key", ())]
    assert [(key.key_id, key.digest) for key in await store.keys()] == expected
    await store.aclose()


@pytest.mark.parametrize("version", EARLIER)
async def test_an_earlier_files_state_is_what_its_log_says_and_it_goes_on(tmp_path: Path, version: int) -> None:
    store = SQLiteStore(old_file(tmp_path, version))
    await store.open()
    state = await store.state()
    assert sum(float(sums.n) for sums in state.evidence.values()) > 0
    assert_same(state, await store.rebuilt())
    (unsettled,) = await store.unsettled()
    number = int(unsettled.decision.decision_id.removeprefix("decision-"))
    assert await store.settle(a_settlement(a_dispatch(number)))
    store.begin(a_dispatch(100))
    assert await store.settle(a_settlement(a_dispatch(100)))
    assert (await store.state()).paid["paced"].requests >= 3
    assert_same(await store.state(), await store.rebuilt())
    deleted = await store.delete_tenant("acme")
    assert deleted.decisions >= 3
    assert all(np.all(sums.n > -1e-9) for sums in (await store.state()).evidence.values())
    await store.aclose()


@pytest.mark.parametrize("version", sorted(DUMPS))
def test_a_step_is_as_it_was_published(tmp_path: Path, version: int) -> None:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as fresh:
        migrate(fresh, "x", MIGRATIONS[:version])
        assert _statements(fresh) == _statements_of(old_file(tmp_path, version))


def _statements_of(path: Path) -> set[str]:
    with closing(sqlite3.connect(path)) as connection:
        return _statements(connection)


def _statements(connection: sqlite3.Connection) -> set[str]:
    return {sql for (sql,) in connection.execute("SELECT sql FROM sqlite_schema") if sql}


def test_an_upgrade_says_what_it_does_and_keeps_what_was(tmp_path: Path) -> None:
    path, backup = old_file(tmp_path, 4), str(tmp_path / "before.db")
    before = rows_of(path, (*KEPT, *SUMS))
    assert upgrade_of(str(path))[:2] == (4, LATEST)
    assert examined(str(path)).version == 4, "asking changes nothing"
    done = upgraded(str(path), backup)
    assert (done.before, done.after, done.copied and done.copied.decisions) == (4, LATEST, len(before["decision"]))
    assert rows_of(Path(backup), (*KEPT, *SUMS)) == before
    assert examined(backup).version == 4
    assert not upgraded(str(path), backup).is_due, "and the copy is left alone"


async def test_an_upgrade_waits_for_nobody(tmp_path: Path) -> None:
    path = old_file(tmp_path, 4)
    with closing(sqlite3.connect(path)) as other:
        other.execute("SELECT count(*) FROM decision").fetchone()
        with pytest.raises(StoreError, match="has it open; stop it, then migrate"):
            upgraded(str(path), str(tmp_path / "before.db"))
    assert examined(str(path)).version == 4
    assert not (tmp_path / "before.db").exists()


async def test_a_copy_is_of_one_instant_while_the_store_is_written(tmp_path: Path) -> None:
    store = SQLiteStore(tmp_path / "store.db")
    await store.open()
    copies: list[Path] = []
    for number in range(300):
        store.begin(a_dispatch(number))
        await store.settle(a_settlement(a_dispatch(number)))
        if number % 100 == 50:
            copies.append(tmp_path / f"copy{number}.db")
            assert copy(str(tmp_path / "store.db"), str(copies[-1])).decisions == number + 1
    await store.aclose()
    for path in copies:
        again = SQLiteStore(path)
        await again.open()
        assert_same(await again.state(), await again.rebuilt())
        assert await again.unsettled() == []
        await again.aclose()


def test_a_copy_takes_no_files_place_and_leaves_no_draft(tmp_path: Path) -> None:
    path = old_file(tmp_path, 4)
    (tmp_path / "there").write_text("mine")
    with pytest.raises(InputError, match="there is a file already"):
        copy(str(path), str(tmp_path / "there"))
    assert (tmp_path / "there").read_text() == "mine"
    with pytest.raises(InputError, match="cannot be written"):
        copy(str(path), str(tmp_path / "nowhere" / "copy.db"))
    assert sorted(each.name for each in tmp_path.iterdir()) == ["store.db", "there"]


def test_a_damaged_file_is_not_copied(tmp_path: Path) -> None:
    path = old_file(tmp_path, 4)
    content = bytearray(path.read_bytes())
    content[len(content) // 2 : len(content) // 2 + 6000] = bytes(6000)
    path.write_bytes(content)
    with pytest.raises(StoreError, match=r"damaged|malformed"):
        copy(str(path), str(tmp_path / "copy.db"))
    assert not (tmp_path / "copy.db").exists()
