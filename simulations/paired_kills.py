"""Writes a measured part of docs/redis.md: what kills leave behind where the log is in PostgreSQL.

Four processes work one store of two as fast as they can and say what has returned. The Redis server has no log of its
own: in every second round it is killed at a random moment and comes back with its last snapshot, which is taken at a
random moment before, or with nothing; in every fourth PostgreSQL is stopped as by a crash and started again. Then all
four processes are killed, and everything that they acknowledged has to be on record and counted once.

Run: `python simulations/paired_kills.py [ROUNDS]`; about three seconds for each of 40 rounds.
"""

from __future__ import annotations

import asyncio
import os
import random
import sys
import tempfile
import time
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from banditroute.storage.paired.store import PairedStore
from banditroute.testing.killing import Acknowledged, Damage, OnRecord, check, kill_after, store_worker
from banditroute.testing.postgres_server import PostgresServer, running_postgres
from banditroute.testing.redis_server import RedisServer, running_redis
from marked_page import footnote, write_part

WORKERS = 4
LONGEST_S = 3.0
NAMESPACE = "default"


async def main(rounds: int) -> None:
    """Kills, counts and writes."""
    started, rng = time.perf_counter(), random.Random(1)
    damage, known = Damage(), OnRecord(set(), set())
    with (
        tempfile.TemporaryDirectory() as folder,
        running_redis(Path(folder), appendonly="no") as redis,
        running_postgres() as postgres,
    ):
        for turn in range(rounds):
            said = await _round(redis, postgres, turn, rng)
            await check(PairedStore(postgres.url, redis.url, by_day=False), turn, said, known, damage)
    text = "\n".join(
        [
            "| kills of workers | of Redis | of PostgreSQL | outcomes acknowledged | judgements acknowledged | lost "
            "| written but not acknowledged | outcomes on record | outcomes the evidence counts |",
            "|---|---|---|---|---|---|---|---|---|",
            f"| {rounds * WORKERS} | {rounds // 2} | {(rounds + 1) // 4} | {damage.settled:,} | {damage.judged:,} "
            f"| {damage.lost} | {damage.unacknowledged:,} | {damage.logged:,} | {damage.counted:,} |",
            "",
            f"{footnote(started, __file__)}.",
        ]
    )
    print(text)
    write_part("redis.md", "paired", text)


async def _round(redis: RedisServer, postgres: PostgresServer, turn: int, rng: random.Random) -> Acknowledged:
    """What the workers acknowledged until they were killed."""
    live_s = [rng.uniform(0.3, LONGEST_S) for _ in range(WORKERS)]
    command = store_worker(f"{postgres.url} {redis.url} {NAMESPACE}")
    work = [kill_after(command(WORKERS * turn + worker), seconds) for worker, seconds in enumerate(live_s)]
    async with asyncio.TaskGroup() as group:
        if turn % 2:
            group.create_task(_kill_redis(redis, rng.uniform(0.5, LONGEST_S), rng.random() < 0.7))
        if turn % 4 == 2:
            group.create_task(_crash_postgres(postgres, rng.uniform(0.5, LONGEST_S)))
        outputs = await asyncio.gather(*work)
    said = [Acknowledged.parse(output) for output in outputs]
    return Acknowledged(frozenset().union(*(s.settled for s in said)), frozenset().union(*(s.judged for s in said)))


async def _kill_redis(redis: RedisServer, after_s: float, has_snapshot: bool) -> None:
    await asyncio.sleep(after_s / 2)
    if has_snapshot:
        await asyncio.to_thread(redis.command, "SAVE")
    await asyncio.sleep(after_s / 2)
    redis.kill()
    await asyncio.to_thread(redis.start)


async def _crash_postgres(postgres: PostgresServer, after_s: float) -> None:
    await asyncio.sleep(after_s)
    await asyncio.to_thread(postgres.stop)
    await asyncio.to_thread(postgres.start)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 40))
