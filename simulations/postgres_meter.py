"""What a private PostgreSQL server has done so far, and what a process has sent it."""

from __future__ import annotations

import asyncio
import os
from asyncio import selector_events
from collections import Counter
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import asyncpg

from banditroute.storage.postgres import session
from banditroute.testing.postgres_server import PostgresServer


class Totals(NamedTuple):
    """Seconds of CPU of all its processes, bytes of its tables, and bytes of its log."""

    cpu_s: float
    held_bytes: float
    log_bytes: float


def totals(server: PostgresServer, namespace: str = "default") -> Totals:
    """What it has done since it began, and what it holds; it may be asked from within an event loop."""
    with ThreadPoolExecutor(1) as thread:
        log, held = thread.submit(asyncio.run, _told(server, namespace)).result()
    return Totals(cpu_s(server), held, log)


def cpu_s(server: PostgresServer) -> float:
    """Seconds of CPU of all processes of the server."""
    found = 0.0
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            parts = path.read_text().rpartition(")")[2].split()
        except OSError:  # it ended just now
            continue
        if int(path.parent.name) == server.pid:
            found += sum(map(int, parts[11:15]))  # with those of its children that ended
        elif int(parts[1]) == server.pid:
            found += sum(map(int, parts[11:13]))
    return found / os.sysconf("SC_CLK_TCK")


@contextmanager
def counting() -> Generator[Counter[str]]:
    """Counts statements that stores write by, and bytes that this process sends over sockets, meanwhile."""
    counted, connect, transport = Counter[str](), session.connect, selector_events._SelectorSocketTransport
    write = transport.write

    async def connecting(*given: Any) -> Any:
        connection = await connect(*given)
        connection.add_query_logger(lambda _: counted.update(statements=1))
        return connection

    def writing(self: Any, data: Any) -> None:
        counted["bytes"] += len(data)
        write(self, data)

    session.connect, transport.write = connecting, writing
    try:
        yield counted
    finally:
        session.connect, transport.write = connect, write


async def _told(server: PostgresServer, namespace: str) -> tuple[float, float]:
    connection = await asyncpg.connect(server.url)
    try:
        log = await connection.fetchval("SELECT pg_current_wal_lsn() - '0/0'::pg_lsn")
        sizes = (
            "SELECT coalesce(sum(pg_total_relation_size(c.oid)), 0) FROM pg_class c "
            "JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = $1 AND c.relkind = 'r'"
        )
        return float(log), float(await connection.fetchval(sizes, f"banditroute_{namespace}"))
    finally:
        await connection.close()
