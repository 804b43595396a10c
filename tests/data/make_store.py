"""Writes a store as the banditroute that is installed does, as SQL text: what tests of upgrades begin with.

Run it with the code of a release whose tables have a version of their own, and keep the file for good:

    python tests/data/make_store.py tests/data/store_v4.sql

It uses whatever of the store that release has: decisions of two tenants with and without outcomes, judgements, rows
that were pruned, and, where there are such things, alarms, a switch that was thrown, and keys of the gateway.
"""

from __future__ import annotations

import asyncio
import sqlite3
import sys
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from banditroute.records import Feedback
from banditroute.routing.lessons import lesson_of
from banditroute.storage import protocol
from banditroute.storage.protocol import Dispatch
from banditroute.storage.sqlite import SQLiteStore
from banditroute.testing import store_records as records

PRUNED_BEFORE = records.NOON + 2.0
DECISIONS = 8


def a_dispatch(number: int) -> Dispatch:
    """A dispatch of one of two tenants, with a prompt that is kept."""
    dispatch = records.a_dispatch(number)
    tenant = ("acme", "other")[number % 2]
    prompt = b'[{"role":"user","content":"How much is it?"}]'
    return replace(dispatch, decision=replace(dispatch.decision, tenant=tenant), prompt=prompt)


def an_alarm(number: int) -> Any:
    """An alarm."""
    from banditroute.records import Alarm  # which the first releases have not

    return Alarm(records.NOON + number, "small", "quality", "qa", 0.9, 0.75, number, 0.999_99)


async def fill(store: SQLiteStore) -> None:
    """Writes all that the release has."""
    await store.open()
    for number in range(DECISIONS):
        dispatch = a_dispatch(number)
        store.begin(dispatch)
        if number == DECISIONS - 1:
            continue
        settlement = records.a_settlement(dispatch)
        await store.settle(settlement)
        feedback = Feedback(dispatch.decision.decision_id, 0.1 * number, "user", records.NOON + 20.0)
        await store.judge(feedback, lesson_of(dispatch.decision, settlement.outcome, feedback))
    if hasattr(store, "adjust"):
        edges = (await store.state()).evidence
        faded = {edge: type(sums)(*(-0.25 * part for part in sums)) for edge, sums in edges.items()}
        await store.adjust([an_alarm(1), an_alarm(2)], faded)
    if hasattr(store, "throw"):
        await store.throw(protocol.Switch("only", "small", records.NOON))
    if hasattr(store, "keep_key"):
        key = protocol.StoredKey("id-1", "app", b"digest", "acme", ("small",), ("qa",), 60.0, True, records.NOON)
        await store.keep_key(key)
        await store.keep_key(replace(key, key_id="id-2", name="old", tenant="", revoked_at=records.NOON + 1.0))
    await store.prune(PRUNED_BEFORE)
    await store.aclose()


def dumped(path: Path) -> str:
    """A file as SQL, its version included."""
    connection = sqlite3.connect(path)
    try:
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        lines = [line for line in connection.iterdump() if "sqlite_sequence" not in line]
        return "\n".join([*lines[:-1], f"PRAGMA user_version = {version};", lines[-1], ""])
    finally:
        connection.close()


def main() -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "store.db"
        asyncio.run(fill(SQLiteStore(path, keep_prompts=True)))
        Path(sys.argv[1]).write_text(dumped(path), encoding="utf-8")


if __name__ == "__main__":
    main()
