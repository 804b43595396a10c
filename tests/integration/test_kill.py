from __future__ import annotations

import asyncio
import random
import sqlite3
from pathlib import Path

from banditroute.storage.sqlite import SQLiteStore
from banditroute.testing.killing import Acknowledged, kill_after, kill_rounds, router_worker, store_worker
from banditroute.testing.store_records import assert_same


async def test_what_was_acknowledged_survives_a_kill(tmp_path: Path) -> None:
    """Six kills on one file: nothing acknowledged is lost, nothing counts twice, and the log rebuilds the state."""
    path = tmp_path / "store.db"
    damage = await kill_rounds(
        SQLiteStore(path), store_worker(str(path)), range(6), most_s=0.3, rng=random.Random(20261125)
    )
    assert damage.kills == 6
    assert damage.settled > 100
    assert damage.judged > 100
    assert damage.lost == 0
    with sqlite3.connect(path) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    connection.close()


async def test_a_whole_router_survives_a_kill(tmp_path: Path) -> None:
    """Four kills: what chat, stream and feedback returned is there, once, and each router takes up where it ended."""
    path = tmp_path / "store.db"
    damage = await kill_rounds(
        SQLiteStore(path), router_worker(str(tmp_path)), range(4), most_s=0.5, rng=random.Random(20261125)
    )
    assert damage.kills == 4
    assert damage.settled > 40
    assert damage.judged > 40
    assert damage.lost == 0


async def test_two_processes_share_a_file(tmp_path: Path) -> None:
    """Both open it at once while it does not exist, write into it at once, and are killed."""
    path = tmp_path / "store.db"
    command = store_worker(str(path))
    outputs = await asyncio.gather(kill_after(command(1), 0.8), kill_after(command(2), 0.8))
    said = [Acknowledged.parse(output) for output in outputs]
    assert all(len(one.settled) > 20 for one in said)
    store = SQLiteStore(path)
    await store.open()
    on_record = {t.decision.decision_id async for t in store.trails() if t.outcome is not None}
    assert said[0].settled | said[1].settled <= on_record
    state = await store.state()
    assert sum(float(s.n) for edge, s in state.evidence.items() if edge.signal == "log_tokens") == len(on_record)
    assert_same(state, await store.rebuilt())
    await store.aclose()


def test_an_acknowledgement_that_was_cut_does_not_count() -> None:
    said = Acknowledged.parse(b"started\nsettled 1-0\njudged 1-0\nsettled 1-12")
    assert said == Acknowledged(frozenset({"1-0"}), frozenset({"1-0"}))
