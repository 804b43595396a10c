from __future__ import annotations

import random
import sqlite3
from pathlib import Path

from banditroute.storage.sqlite import SQLiteStore
from banditroute.testing.killing import Acknowledged, kill_rounds, store_worker


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


def test_an_acknowledgement_that_was_cut_does_not_count() -> None:
    said = Acknowledged.parse(b"started\nsettled 1-0\njudged 1-0\nsettled 1-12")
    assert said == Acknowledged(frozenset({"1-0"}), frozenset({"1-0"}))
