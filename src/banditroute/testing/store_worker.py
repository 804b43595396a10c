"""A process that works a store as fast as it can and says what has returned: python -m ... PATH ROUND.

PATH is a SQLite file, or the URL of a PostgreSQL database or of a Redis server.

Each line that it writes is one acknowledgement: `settled ID` or `judged ID`. It works until it is killed.
"""

from __future__ import annotations

import asyncio
import os
import sys
from dataclasses import replace
from itertools import count

from banditroute.records import Feedback
from banditroute.routing.lessons import lesson_of
from banditroute.storage.protocol import Dispatch, Store
from banditroute.storage.sqlite import SQLiteStore

from .store_records import a_dispatch, a_settlement

ROUND_S = 1_000_000.0
"""How far apart in time the decisions of two rounds are."""

_TASKS = 32
_KEPT_ROUNDS = 3


def acknowledge(line: str) -> None:
    """Writes one line, whole or not at all."""
    os.write(sys.stdout.fileno(), f"{line}\n".encode())


def dispatch_of(turn: int, number: int) -> Dispatch:
    """The dispatch of that number in a round; everything of a round is older than everything of the next."""
    dispatch = a_dispatch(number % 1000)
    decision = replace(dispatch.decision, decision_id=f"{turn}-{number}", at=turn * ROUND_S + number)
    return replace(dispatch, decision=decision)


async def work(store: Store, turn: int) -> None:
    """Begins, settles and judges until the process ends, and prunes the rounds before the last few meanwhile."""
    numbers = count()
    async with asyncio.TaskGroup() as group:
        for _ in range(_TASKS):
            group.create_task(_work(store, turn, numbers))
        group.create_task(store.prune((turn - _KEPT_ROUNDS) * ROUND_S))


async def _work(store: Store, turn: int, numbers: count[int]) -> None:
    for number in numbers:
        dispatch = dispatch_of(turn, number)
        decision_id = dispatch.decision.decision_id
        settlement = a_settlement(dispatch)
        store.begin(dispatch)
        if await store.settle(settlement):
            acknowledge(f"settled {decision_id}")
        assert not await store.settle(settlement)
        feedback = Feedback(decision_id, 0.5)
        if await store.judge(feedback, lesson_of(dispatch.decision, settlement.outcome, feedback)):
            acknowledge(f"judged {decision_id}")


def _store(path: str) -> Store:
    if " " in path:
        from banditroute.storage.paired.store import PairedStore  # whose libraries are extras

        log_url, url, namespace = path.split()
        return PairedStore(log_url, url, namespace=namespace, by_day=False)
    if path.startswith("postgresql:"):
        from banditroute.storage.postgres.store import PostgresStore  # whose library is an extra

        return PostgresStore(path, by_day=False)
    if path.startswith(("redis:", "unix:")):
        from banditroute.storage.redis.store import RedisStore  # whose library is an extra

        return RedisStore(path)
    return SQLiteStore(path)


async def _main(path: str, turn: int) -> None:
    acknowledge("started")
    store = _store(path)
    await store.open()
    await work(store, turn)


if __name__ == "__main__":
    asyncio.run(_main(sys.argv[1], int(sys.argv[2])))
