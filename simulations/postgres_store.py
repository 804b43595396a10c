"""Writes the tables of docs/postgres.md: what a request costs a PostgreSQL server, and what kills leave behind.

It asks how long `settle` takes at a rate of requests and flat out, beside SQLite; how many statements and bytes a
request costs, over the wire, in the server's log and on its disk; and what is left after kills of processes. A request
is one decision and one outcome with 26 inputs; the server is a private one that waits for the disk. It takes 2 minutes,
twice that on a busy machine.

    python simulations/postgres_store.py
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import resource
import statistics
import tempfile
import time
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from itertools import count, islice
from pathlib import Path
from typing import Any

import asyncpg

from banditroute.storage.postgres.store import PostgresStore
from banditroute.storage.protocol import Dispatch, Settlement, SharedStore
from banditroute.storage.sharing import Report
from banditroute.storage.sqlite import SQLiteStore
from banditroute.testing.killing import kill_rounds, store_worker
from banditroute.testing.postgres_server import PostgresServer, running_postgres
from banditroute.testing.store_records import a_dispatch, a_settlement
from marked_page import footnote, write_part
from postgres_meter import counting, cpu_s
from priority import hurried

PAGE = "postgres.md"
WIDTH = 24  # features, and two inputs that every request has
SECONDS = 6.0
KILLS = 60
NAMES = count()


@dataclass(frozen=True, slots=True)
class Load:
    """How requests come: at a rate, or as fast as so many tasks can make them."""

    per_s: float | None
    tasks: int
    requests: int

    def __str__(self) -> str:
        return f"{self.tasks} at once, flat out" if self.per_s is None else f"{self.per_s:.0f} a second"


LOADS = (
    Load(50.0, 1, int(50 * SECONDS)),
    Load(500.0, 1, int(500 * SECONDS)),
    Load(None, 1, 1_000),
    Load(None, 16, 6_000),
    Load(None, 128, 10_000),
)


@dataclass(slots=True)
class Measured:
    """What one load has shown; totals, and seconds of each wait."""

    requests: int = 0
    seconds: float = 0.0
    cpu_s: float = 0.0
    waits_s: list[float] = field(default_factory=list)
    exchanges_s: list[float] = field(default_factory=list)


def main() -> None:
    started = time.perf_counter()
    with hurried() as prior, running_postgres(fsync=True) as server:
        cost = asyncio.run(_costs(server))
        write_part(PAGE, "cost", f"{cost}\n\n{footnote(started, __file__)}, {prior} real-time priority.")
        print(cost)
    with running_postgres(fsync=True) as server:
        for part, measure in (("bytes", _bytes), ("kills", _kills)):
            table = asyncio.run(measure(server))
            write_part(PAGE, part, f"{table}\n\n{footnote(started, __file__)}.")
            print(table)


# Waiting


async def _costs(server: PostgresServer) -> str:
    lines = [
        "| requests | store | requests/s | median wait for `settle`, ms | p99, ms | CPU here, us a request "
        "| CPU of the server, us | statements a request | median exchange, ms |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for load in LOADS:
        with tempfile.TemporaryDirectory() as folder:
            async with _opened(SQLiteStore(Path(folder) / "store.db")) as store:
                lines.append(_line(load, "SQLite", await _measure(store, load), "", ""))
        with counting() as sent:
            async with _opened(PostgresStore(server.url, namespace=f"cost_{next(NAMES)}")) as store:
                await _settled(store, 20)
                sent.clear()
                before_s = cpu_s(server)
                found = await _measure(store, load)
                server_us = 1e6 * (cpu_s(server) - before_s) / found.requests
                statements = sent["statements"] / found.requests
                lines.append(_line(load, "PostgreSQL", found, f"{server_us:.0f}", f"{statements:.2f}"))
    return "\n".join(lines)


def _line(load: Load, name: str, found: Measured, server_us: str, statements: str) -> str:
    p99 = statistics.quantiles(found.waits_s, n=100)[98]
    parts = (
        str(load),
        name,
        f"{found.requests / found.seconds:,.0f}",
        f"{1e3 * statistics.median(found.waits_s):.2f}",
        f"{1e3 * p99:.1f}",
        f"{1e6 * found.cpu_s / found.requests:.0f}",
        server_us,
        statements,
        f"{1e3 * statistics.median(found.exchanges_s):.1f}",
    )
    return f"| {' | '.join(parts)} |"


async def _measure(store: SharedStore, load: Load) -> Measured:
    found, pairs = Measured(load.requests), _pairs()
    chosen = list(islice(pairs, load.requests))
    ticking = asyncio.create_task(_tick(store, found))
    started, cpu = time.perf_counter(), _own_cpu_s()
    if load.per_s is None:
        waiting = iter(chosen)
        await asyncio.gather(*(_serve(store, waiting, found) for _ in range(load.tasks)))
    else:
        await _arrivals(store, chosen, load.per_s, found)
    found.seconds, found.cpu_s = time.perf_counter() - started, _own_cpu_s() - cpu
    ticking.cancel()
    await asyncio.gather(ticking, return_exceptions=True)
    return found


async def _arrivals(
    store: SharedStore, chosen: Sequence[tuple[Dispatch, Settlement]], per_s: float, found: Measured
) -> None:
    chance, at, loop = random.Random(1), 0.0, asyncio.get_running_loop()
    begun = loop.time()
    async with asyncio.TaskGroup() as group:
        for pair in chosen:
            at += chance.expovariate(per_s)
            await asyncio.sleep(begun + at - loop.time())
            group.create_task(_serve(store, iter([pair]), found, answer_s=0.02))


async def _serve(
    store: SharedStore, pairs: Iterator[tuple[Dispatch, Settlement]], found: Measured, answer_s: float = 0.0
) -> None:
    for dispatch, settlement in pairs:
        store.begin(dispatch)
        if answer_s:
            await asyncio.sleep(answer_s)
        started = time.perf_counter()
        assert await store.settle(settlement)
        found.waits_s.append(time.perf_counter() - started)


async def _tick(store: SharedStore, found: Measured) -> None:
    known = 0
    while True:
        started = time.perf_counter()
        known = (await store.exchange(Report("here", 60.0, 60.0, known=known))).version
        found.exchanges_s.append(time.perf_counter() - started)
        await asyncio.sleep(1.0)


def _own_cpu_s() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


# Bytes


async def _bytes(server: PostgresServer) -> str:
    lines = [
        "| requests at once | over the wire, bytes a request | in the server's log | on its disk |",
        "|---|---|---|---|",
    ]
    found = [(tasks, await _bytes_of(server, tasks)) for tasks in (1, 16, 128)]
    lines += [f"| {tasks} | {' | '.join(f'{each:,.0f}' for each in bytes_)} |" for tasks, bytes_ in found]
    return "\n".join(lines)


async def _bytes_of(server: PostgresServer, tasks: int) -> tuple[float, float, float]:
    requests, namespace = 4_000, f"bytes_{next(NAMES)}"
    async with _wire(server) as (url, sent):
        async with _opened(PostgresStore(url, namespace=namespace)) as store:
            await _settled(store, 20)
            connection = await asyncpg.connect(server.url)
            before, log = sent[0], await _written(connection)
            pairs = islice(_pairs(), requests)
            await asyncio.gather(*(_serve(store, pairs, Measured()) for _ in range(tasks)))
            wire, log = sent[0] - before, await _written(connection) - log
        sizes = (
            "SELECT sum(pg_total_relation_size(c.oid)) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
            "WHERE n.nspname = $1 AND c.relkind = 'r' AND c.relname ~ '^(decision|outcome)_'"
        )
        disk = float(await connection.fetchval(sizes, f"banditroute_{namespace}"))
        await connection.close()
    return wire / requests, log / requests, disk / requests


async def _written(connection: Any) -> float:
    return float(await connection.fetchval("SELECT pg_current_wal_lsn() - '0/0'::pg_lsn"))


@asynccontextmanager
async def _wire(server: PostgresServer) -> AsyncGenerator[tuple[str, list[int]]]:
    """The address of something that counts bytes between a client and the server, both ways."""
    sent = [0]

    async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.closing(writer):
            while data := await reader.read(1 << 16):
                sent[0] += len(data)
                writer.write(data)

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        behind = await asyncio.open_unix_connection(str(server.socket))
        await asyncio.gather(copy(reader, behind[1]), copy(behind[0], writer))

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / server.socket.name
        listening = await asyncio.start_unix_server(connected, str(path))
        try:
            yield server.url.replace(str(server.socket.parent), folder), sent
        finally:
            listening.close()


# Kills


async def _kills(server: PostgresServer) -> str:
    chance = random.Random(20261126)
    store = PostgresStore(server.url, by_day=False)
    damage = await kill_rounds(store, store_worker(server.url), range(KILLS), most_s=1.0, rng=chance)
    return "\n".join(
        (
            "| kills of a process | outcomes acknowledged | judgements acknowledged | lost "
            "| written but not acknowledged | outcomes on record | outcomes the evidence counts |",
            "|---|---|---|---|---|---|---|",
            f"| {damage.kills} | {damage.settled:,} | {damage.judged:,} | {damage.lost} | {damage.unacknowledged:,} "
            f"| {damage.logged:,} | {damage.counted:,} |",
        )
    )


# Requests


def _pairs() -> Iterator[tuple[Dispatch, Settlement]]:
    for number in count():
        dispatch = a_dispatch(number, width=WIDTH)
        yield dispatch, a_settlement(dispatch)


async def _settled(store: SharedStore, requests: int) -> None:
    """Requests that are not measured: the first ones make partitions and prepare statements."""
    for number in range(10**6, 10**6 + requests):
        dispatch = a_dispatch(number % 1000, width=WIDTH)
        dispatch = replace(dispatch, decision=replace(dispatch.decision, decision_id=f"warm-{number}"))
        store.begin(dispatch)
        await store.settle(a_settlement(dispatch))


@asynccontextmanager
async def _opened(store: Any) -> AsyncGenerator[Any]:
    await store.open()
    try:
        yield store
    finally:
        await store.aclose()


if __name__ == "__main__":
    main()
