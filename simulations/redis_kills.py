"""Writes the measured part of docs/redis.md: what kills of workers and of the server leave behind.

Four processes work one private Redis server as fast as they can and say what has returned. In each round the server is
killed at a random moment and started again on its log, where its turn is; then all four are killed, and everything that
they acknowledged has to be on record and counted once.

Run: `python simulations/redis_kills.py [ROUNDS]`; about three seconds for each of 40 rounds.
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

from banditroute.storage.redis.store import RedisStore
from banditroute.testing.killing import Acknowledged, Damage, OnRecord, check, kill_after, store_worker
from banditroute.testing.redis_server import RedisServer, running_redis
from marked_page import footnote, write_part

WORKERS = 4
LONGEST_S = 3.0


async def main(rounds: int) -> None:
    """Kills, counts and writes."""
    started, rng = time.perf_counter(), random.Random(1)
    damage, servers_killed = Damage(), 0
    known = OnRecord(set(), set())
    with tempfile.TemporaryDirectory() as folder, running_redis(Path(folder), appendfsync="always") as server:
        for turn in range(rounds):
            said = await _round(server, turn, rng)
            servers_killed += turn % 2
            await check(RedisStore(server.url), turn, said, known, damage)
    text = "\n".join(
        [
            "| kills of workers | kills of the server | outcomes acknowledged | judgements acknowledged | lost "
            "| written but not acknowledged | outcomes on record | outcomes the evidence counts |",
            "|---|---|---|---|---|---|---|---|",
            f"| {rounds * WORKERS} | {servers_killed} | {damage.settled:,} | {damage.judged:,} | {damage.lost} "
            f"| {damage.unacknowledged:,} | {damage.logged:,} | {damage.counted:,} |",
            "",
            f"{footnote(started, __file__)}.",
        ]
    )
    print(text)
    write_part("redis.md", "kills", text)


async def _round(server: RedisServer, turn: int, rng: random.Random) -> Acknowledged:
    """What the workers acknowledged until they were killed."""
    live_s = [rng.uniform(0.1, LONGEST_S) for _ in range(WORKERS)]
    command = store_worker(server.url)
    work = [kill_after(command(WORKERS * turn + worker), seconds) for worker, seconds in enumerate(live_s)]
    async with asyncio.TaskGroup() as group:
        if turn % 2:
            group.create_task(_kill_server(server, rng.uniform(0.3, LONGEST_S)))
        outputs = await asyncio.gather(*work)
    said = [Acknowledged.parse(output) for output in outputs]
    return Acknowledged(frozenset().union(*(s.settled for s in said)), frozenset().union(*(s.judged for s in said)))


async def _kill_server(server: RedisServer, after_s: float) -> None:
    await asyncio.sleep(after_s)
    server.kill()
    await asyncio.to_thread(server.start)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 40))
