"""Four routers, each a process, on one SQLite file: what they learn adds up, what they spend stays within the caps."""

import asyncio
import os
import sqlite3
import sys
import time
from contextlib import AsyncExitStack, asynccontextmanager

import numpy as np
import orjson
import pytest

from banditroute.learning.evidence import empty, observe
from banditroute.routing.lessons import SIGNALS, Edge, lesson_of, lessons_of
from banditroute.storage.sqlite import SQLiteStore
from banditroute.testing.faults import FAULTS
from banditroute.testing.store_records import assert_same

COST_USD = (18 * 1.0 + 6 * 2.0) / 1e6
TICK_S = 0.1
LEASE_S = 15 * TICK_S + 1.0
SHARED = {"kind": "sqlite", "path": "decisions.db", "shared": True, "tick_s": TICK_S}
KEYS = {"LAB_KEY": "sk-main", "LAB_SPARE": "sk-spare"}


async def slowly(exchange):
    await asyncio.sleep(0.02)
    await FAULTS["ok"](exchange)


class Worker:
    """A router in a process of its own, and what it has said."""

    def __init__(self, process):
        self.process = process
        self.said = []

    async def until(self, word):
        """Reads on to the line that begins with a word; what follows it."""
        while True:
            line = (await self.process.stdout.readline()).decode().rstrip("\n")
            assert line, f"it ended before it said {word!r}: {self.said[-3:]}"
            first, _, rest = line.partition(" ")
            if first == word:
                return rest
            self.said.append((first, rest))

    async def ask(self, command, word):
        self.process.stdin.write(f"{command}\n".encode())
        await self.process.stdin.drain()
        return await self.until(word)

    async def end(self):
        self.process.stdin.close()
        while line := await self.process.stdout.readline():
            self.said.append(tuple(line.decode().split(maxsplit=1)))
        assert await self.process.wait() == 0

    def of(self, kind):
        return {rest for first, rest in self.said if first == kind}


@asynccontextmanager
async def working(config):
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "banditroute.testing.sharing_worker", str(config)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, **KEYS, "OPENBLAS_NUM_THREADS": "1"},
        limit=1 << 24,
    )
    try:
        yield Worker(process)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def workers(stack, config, number=4):
    found = [await stack.enter_async_context(working(config)) for _ in range(number)]
    await asyncio.gather(*(worker.until("started") for worker in found))
    return found


@asynccontextmanager
async def on_record(path):
    store = SQLiteStore(path)
    await store.open()
    try:
        yield store, [trail async for trail in store.trails()]
    finally:
        await store.aclose()


def added_up(trails):
    """What the log teaches, one observation after another."""
    found = {}
    for trail in trails:
        judged = (lesson_of(trail.decision, trail.outcome, each) for each in trail.feedback)
        for lesson in (*lessons_of(trail.decision, trail.outcome), *judged):
            for signal, value in zip(SIGNALS, lesson.values, strict=True):
                if value is not None:
                    edge = Edge(lesson.task, lesson.model, signal, lesson.encoder_version)
                    sums = found.setdefault(edge, empty((1,), len(lesson.x)))
                    observe(sums, (0,), np.array(lesson.x), value, lesson.weight)
    return {"/".join(edge): [value for part in sums for value in np.ravel(part)] for edge, sums in found.items()}


async def heard(worker):
    """What a worker believes, once an exchange has brought nothing new."""
    before = None
    while (told := orjson.loads(await worker.ask("tell", "told"))) != before:
        before = told
        await asyncio.sleep(10 * TICK_S)
    return told


def leases(path):
    with sqlite3.connect(path) as connection:
        return connection.execute("SELECT holder, usd FROM lease").fetchall()


async def test_all_know_what_each_has_learned(lab):
    models = {"good": await lab.server(), "cheap": await lab.server()}
    unwatched = {"routing.drift": {"watch": False}}  # a change that is found is in no row of the log
    budgets = [{"name": "pace", "usd_per_request": COST_USD}]
    config = lab.write(models, store=SHARED, budgets=budgets, **unwatched)
    async with AsyncExitStack() as stack:
        each = await workers(stack, config)
        await asyncio.gather(*(worker.ask("work 50", "done") for worker in each))
        told = [await heard(worker) for worker in each]
        await asyncio.gather(*(worker.end() for worker in each))
    async with on_record(lab.folder / "decisions.db") as (store, trails):
        assert len(trails) == 200
        assert {trail.decision.decision_id for trail in trails} == set().union(
            *(worker.of("settled") for worker in each)
        )
        assert_same(await store.state(), await store.rebuilt())
        assert (await store.state()).paid["pace"].requests == 200
    serial = added_up(trails)
    for beliefs in told:
        assert set(beliefs) == set(serial)
        for edge, sums in serial.items():
            np.testing.assert_allclose(beliefs[edge], sums, rtol=1e-9, atol=1e-9)


async def test_a_cap_holds_and_a_kill_loses_nothing(lab):
    """One of four is killed at work; the others go on until the cap is spent, and end what it left behind."""
    models = {"good": await lab.server(slowly), "cheap": await lab.server(slowly)}
    cap_usd = 400 * COST_USD
    budgets = [{"name": "day", "usd": cap_usd, "per": "day", "on_exhausted": "reject", "paced": False}]
    config = lab.write(models, store=SHARED, budgets=budgets, routing={"deadline_s": 1.0})
    path = lab.folder / "decisions.db"
    async with AsyncExitStack() as stack:
        each = await workers(stack, config)
        killed, *others = each
        working_on = [asyncio.create_task(worker.ask("work 150", "done")) for worker in others]
        killed.process.stdin.write(b"work 150\n")
        for _ in range(40):
            first, rest = (await killed.process.stdout.readline()).decode().split(maxsplit=1)
            killed.said.append((first, rest.strip()))
        killed.process.kill()
        killed_at = time.monotonic()
        rest = (await killed.process.stdout.read()).decode().split("\n")[:-1]
        killed.said += [tuple(line.split(maxsplit=1)) for line in rest]
        holders = {holder for holder, _ in leases(path)}
        await asyncio.gather(*working_on)
        await asyncio.sleep(max(killed_at + LEASE_S + 8 * TICK_S - time.monotonic(), 0.0))
        left = leases(path)
        await asyncio.gather(*(worker.ask("work 30", "done") for worker in others))
        await asyncio.gather(*(worker.end() for worker in others))
    async with on_record(path) as (store, trails):
        state = await store.state()
        settled = {trail.decision.decision_id for trail in trails if trail.outcome is not None}
        assert set().union(*(worker.of("settled") for worker in each)) <= settled
        judged = {trail.decision.decision_id for trail in trails if trail.feedback}
        assert set().union(*(worker.of("judged") for worker in each)) <= judged
        assert not set().union(*(worker.of("unrecorded") for worker in each))
        assert await store.unsettled() == []
        assert_same(state, await store.rebuilt())
    counted = sum(float(sums.n) for edge, sums in state.evidence.items() if edge.signal == "log_tokens")
    assert counted == sum(trail.outcome.ok for trail in trails)
    spent_usd = sum(state.spent_usd.values())
    assert spent_usd == pytest.approx(sum(trail.outcome.cost_usd for trail in trails))
    assert 0.9 * cap_usd <= spent_usd <= cap_usd * (1 + 1e-9)
    assert len(holders) == 4
    assert len({holder for holder, _ in left}) == 3
    assert leases(path) == []
