"""Writes the tables of docs/durability.md: what 200 kills leave behind, and what durability costs.

Takes the number of kills as its argument, 200 by default: about ten minutes on two cores.
"""

from __future__ import annotations

import asyncio
import os
import platform
import random
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import NamedTuple

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from banditroute.storage.memory import MemoryStore
from banditroute.storage.protocol import Dispatch, Settlement, Store
from banditroute.storage.sqlite import SQLiteStore
from banditroute.testing.killing import Command, Damage, kill_rounds, router_worker, store_worker
from banditroute.testing.store_records import a_dispatch, a_settlement
from marked_page import write_part

PAGE = Path(__file__).parent.parent / "docs" / "durability.md"
MOST_S = 0.4
REQUESTS = 4000
WIDTH = 24


class Subject(NamedTuple):
    """A process that is killed."""

    title: str
    command: Callable[[str], Command]


SUBJECTS = (
    Subject("a store, 32 tasks that begin, settle, settle again and judge", store_worker),
    Subject("a whole router, 16 tasks that chat, stream and judge", lambda path: router_worker(str(Path(path).parent))),
)


def main() -> None:
    kills = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    write_part("durability.md", "kills", _kills_section([(subject, _killed(subject, kills)) for subject in SUBJECTS]))
    write_part("durability.md", "cost", _cost_section())
    print(PAGE.read_text(encoding="utf-8"))


def _killed(subject: Subject, kills: int) -> Damage:
    """What rounds of killing on one file show; raises AssertionError where something is lost or counted twice."""
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "store.db")
        rounds = kill_rounds(
            SQLiteStore(path), subject.command(path), range(kills), most_s=MOST_S, rng=random.Random(20261125)
        )
        damage = asyncio.run(rounds)
        with sqlite3.connect(path) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        connection.close()
        return damage


def _kills_section(results: list[tuple[Subject, Damage]]) -> str:
    lines = [
        _stamp(),
        "",
        "| killed | kills | outcomes acknowledged | judgements acknowledged | lost | written but not acknowledged "
        "| outcomes on record | outcomes the evidence counts |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for subject, d in results:
        lines.append(
            f"| {subject.title} | {d.kills} | {d.settled:,} | {d.judged:,} | {d.lost} | {d.unacknowledged:,} "
            f"| {d.logged:,} | {d.counted:,} |"
        )
    return "\n".join(lines)


def _cost_section() -> str:
    lines = [
        _stamp(),
        "",
        "| store | requests at once | CPU, us a request | requests/s | median wait for `settle`, ms | p99, ms |",
        "|---|---|---|---|---|---|",
    ]
    for name, make in _STORES:
        for at_once in (1, 16, 256):
            with tempfile.TemporaryDirectory(dir=Path(__file__).parent) as folder:
                cpu_s, wall_s, waits = asyncio.run(_timed(make(Path(folder) / "store.db"), at_once))
            waits.sort()
            middle, late = waits[len(waits) // 2] * 1e3, waits[int(len(waits) * 0.99)] * 1e3
            lines.append(
                f"| {name} | {at_once} | {cpu_s / REQUESTS * 1e6:.0f} | {REQUESTS / wall_s:,.0f} "
                f"| {middle:.2f} | {late:.1f} |"
            )
    return "\n".join(lines)


async def _timed(store: Store, at_once: int) -> tuple[float, float, list[float]]:
    """Seconds of CPU and of wall time for all requests, and each one's wait for its outcome to be durable."""
    requests = [_request(number) for number in range(REQUESTS)]
    pending = iter(requests)
    waits: list[float] = []

    async def client() -> None:
        for dispatch, settlement in pending:
            store.begin(dispatch)
            await asyncio.sleep(0)
            started = time.perf_counter()
            await store.settle(settlement)
            waits.append(time.perf_counter() - started)

    await store.open()
    cpu, wall = time.process_time(), time.perf_counter()
    await asyncio.gather(*(client() for _ in range(at_once)))
    cpu_s, wall_s = time.process_time() - cpu, time.perf_counter() - wall
    await store.aclose()
    return cpu_s, wall_s, waits


def _request(number: int) -> tuple[Dispatch, Settlement]:
    dispatch = a_dispatch(number % 97, width=WIDTH)
    decision = replace(dispatch.decision, decision_id=f"{number:012d}")
    dispatch = replace(dispatch, decision=decision)
    return dispatch, a_settlement(dispatch)


_STORES: tuple[tuple[str, Callable[[Path], Store]], ...] = (
    ("memory", lambda _: MemoryStore()),
    ("SQLite", SQLiteStore),
    ("SQLite with `fsync`", lambda path: SQLiteStore(path, fsync=True)),
)


def _stamp() -> str:
    versions = f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}"
    machine = f"{platform.machine()}, {os.cpu_count()} shared cores, {versions}"
    return f"Written by `simulations/survives_kill.py` on {date.today().isoformat()} ({machine})."


if __name__ == "__main__":
    main()
