from __future__ import annotations

import asyncio
import resource
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from banditroute.errors import StoreError, UnknownDecisionError
from banditroute.storage import connecting
from banditroute.storage.protocol import Dispatch
from banditroute.storage.sqlite import SQLiteStore
from banditroute.testing.store_records import a_dispatch, a_settlement, assert_same


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SQLiteStore]:
    store = SQLiteStore(tmp_path / "store.db")
    await store.open()
    yield store
    await store.aclose()


@contextmanager
def full_disk(path: Path) -> Iterator[None]:
    """Lets no file of this process grow beyond what the database's log has by now."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (Path(f"{path}-wal").stat().st_size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@contextmanager
def locked(path: Path) -> Iterator[None]:
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        connection.close()


async def test_what_cannot_be_written_is_an_error_and_the_store_goes_on(store: SQLiteStore) -> None:
    store.begin(a_dispatch(1))
    await store.settle(a_settlement(a_dispatch(1)))
    store.begin(a_dispatch(2))
    with full_disk(Path(store.path)):
        with pytest.raises(StoreError, match=r"store\.db: cannot write decisions: .*; .*disk"):
            await store.settle(a_settlement(a_dispatch(2)))
        assert (await store.trail("decision-000001")).outcome is not None
        with pytest.raises(StoreError, match="cannot write"):
            await store.trail("decision-000002")
        with pytest.raises(StoreError, match="cannot change"):
            await store.prune(a_dispatch(5).decision.at)
    assert await store.settle(a_settlement(a_dispatch(2)))
    assert (await store.trail("decision-000002")).dispatch == a_dispatch(2)
    assert_same(await store.state(), await store.rebuilt())


async def test_decisions_that_nobody_waits_for_are_written_when_the_disk_can_be(store: SQLiteStore) -> None:
    store.begin(a_dispatch(1))
    await store.unsettled()
    with full_disk(Path(store.path)):
        store.begin(a_dispatch(2))
        await asyncio.sleep(0.05)
        assert await store.unsettled() == [a_dispatch(1)]
    assert await store.unsettled() == [a_dispatch(1), a_dispatch(2)]


async def test_closing_says_what_could_not_be_written(tmp_path: Path) -> None:
    store = SQLiteStore(tmp_path / "store.db")
    await store.open()
    store.begin(a_dispatch(1))
    await store.unsettled()
    store.begin(a_dispatch(2))
    with full_disk(tmp_path / "store.db"), pytest.raises(StoreError, match="cannot write"):
        await store.aclose()
    await store.aclose()
    with pytest.raises(StoreError, match="closed"):
        await store.state()


async def test_a_file_that_another_process_holds_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connecting, "BUSY_TIMEOUT_S", 0.1)
    store = SQLiteStore(tmp_path / "store.db")
    await store.open()
    with locked(tmp_path / "store.db"):
        store.begin(a_dispatch(1))
        with pytest.raises(StoreError, match="locked; another process holds it"):
            await store.settle(a_settlement(a_dispatch(1)))
    assert await store.settle(a_settlement(a_dispatch(1)))
    await store.aclose()


async def test_waiting_for_another_process_is_no_error(store: SQLiteStore) -> None:
    store.begin(a_dispatch(1))
    with locked(Path(store.path)):
        settling = asyncio.ensure_future(store.settle(a_settlement(a_dispatch(1))))
        await asyncio.sleep(0.1)
        assert not settling.done()
    assert await settling


@pytest.mark.parametrize(
    ("make", "problem"),
    [
        (lambda path: path.write_bytes(b"no database at all, only text " * 200), "move the file away"),
        (lambda path: path.mkdir(), "check that its folder exists"),
    ],
)
async def test_a_file_that_cannot_be_used_is_an_error(tmp_path: Path, make, problem: str) -> None:
    path = tmp_path / "store.db"
    make(path)
    store = SQLiteStore(path)
    with pytest.raises(StoreError, match=problem):
        await store.open()
    await store.aclose()
    with pytest.raises(StoreError, match="closed"):
        await store.state()


async def test_a_folder_that_is_missing_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"missing/store\.db: cannot open the store"):
        await SQLiteStore(tmp_path / "missing" / "store.db").open()


async def test_a_damaged_file_is_an_error_that_names_it(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    store = SQLiteStore(path)
    await store.open()
    for number in range(100):
        store.begin(a_dispatch(number))
    await store.aclose()
    data = bytearray(path.read_bytes())
    for page in range(4096, len(data), 4096):
        if b"decision-0" in data[page : page + 4096]:
            data[page : page + 4096] = b"\x5a" * 4096
    path.write_bytes(data)
    await store.open()
    with pytest.raises(StoreError, match=r"store\.db: cannot read the store: .*damaged"):
        await store.recent(5)
    with pytest.raises(StoreError, match=r"store\.db: cannot write decisions: .*damaged"):
        await store.settle(a_settlement(a_dispatch(1)))
    await store.aclose()


@pytest.mark.parametrize("keep", [False, True])
async def test_prompts_are_on_disk_only_when_asked(tmp_path: Path, keep: bool) -> None:
    path = tmp_path / "store.db"
    store = SQLiteStore(path, keep_prompts=keep)
    await store.open()
    store.begin(Dispatch(a_dispatch(1).decision, prompt=b'[{"content": "between us"}]'))
    assert (await store.trail("decision-000001")).dispatch.prompt == (b'[{"content": "between us"}]' if keep else None)
    await store.aclose()
    assert (b"between us" in path.read_bytes()) == keep


async def test_pruning_gives_room_back(store: SQLiteStore) -> None:
    for number in range(1000):
        store.begin(a_dispatch(number))
    await asyncio.gather(*(store.settle(a_settlement(a_dispatch(number))) for number in range(1000)))
    pages = await _pages(store)
    assert await store.prune(a_dispatch(990).decision.at) == 990
    assert await _pages(store) < pages / 4


async def test_others_are_served_while_it_prunes(store: SQLiteStore) -> None:
    for number in range(1000):
        store.begin(a_dispatch(number))
    await asyncio.gather(*(store.settle(a_settlement(a_dispatch(number))) for number in range(1000)))
    pruning = asyncio.ensure_future(store.prune(a_dispatch(1000).decision.at))
    store.begin(a_dispatch(2000))
    assert await store.settle(a_settlement(a_dispatch(2000)))
    assert not pruning.done()
    assert await pruning == 1000


async def test_the_loop_is_never_held_up(store: SQLiteStore) -> None:
    """A task that only yields goes on while a lock makes the writer wait."""
    store.begin(a_dispatch(1))
    with locked(Path(store.path)):
        settling = asyncio.ensure_future(store.settle(a_settlement(a_dispatch(1))))
        loop = asyncio.get_running_loop()
        started, turns = loop.time(), 0
        while loop.time() < started + 0.1:
            await asyncio.sleep(0)
            turns += 1
    assert turns > 100
    assert await settling


async def test_opening_twice_is_opening_once(store: SQLiteStore) -> None:
    store.begin(a_dispatch(1))
    await store.open()
    assert await store.unsettled() == [a_dispatch(1)]


async def test_an_id_that_is_no_unicode_is_unknown(store: SQLiteStore) -> None:
    with pytest.raises(UnknownDecisionError):
        await store.trail("\ud800")


async def _pages(store: SQLiteStore) -> int:
    connection = sqlite3.connect(store.path)
    try:
        return connection.execute("PRAGMA page_count").fetchone()[0]
    finally:
        connection.close()
