"""Writes the measured parts of docs/sizing.md: what one request costs a store and its server, and what more would.

What does a request cost in bytes, commands, round trips and CPU against each kind of store, and how long does its
`settle` take at 500 requests a second? Every server is a private one on this machine. A store whose server is not
installed is left out. Where it may, the script asks for real-time priority, for itself and the servers that it starts,
so that other work on the machine is not measured.

Run: `python simulations/shared_stores.py`; half a minute.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import re
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

from banditroute.storage.protocol import Dispatch, SharedStore
from banditroute.storage.redis.link import Link
from banditroute.storage.redis.store import RedisStore
from banditroute.storage.sharing import Report
from banditroute.storage.sqlite import SQLiteStore
from banditroute.testing import postgres_server, redis_server
from banditroute.testing.store_records import a_dispatch, a_settlement
from marked_page import footnote, write_part
from priority import hurried

RATE = 500
SECONDS = 6
FEATURES = 24
AT_ONCE, EACH = 64, 60
RATES = (500, 10_000, 1_000_000)
BUSY = 0.7  # of a core that a server may be busy and still answer at once
DAY_S = 86_400


class Meter(NamedTuple):
    """What a server has done since it began, and what it holds."""

    cpu_s: float = 0.0
    in_bytes: float = 0.0
    out_bytes: float = 0.0
    commands: float = 0.0
    held_bytes: float = 0.0
    log_bytes: float = 0.0

    def per(self, requests: int, before: Meter) -> Meter:
        """The same for each of so many requests."""
        return Meter(*((mine - theirs) / requests for mine, theirs in zip(self, before, strict=True)))


class Measured(NamedTuple):
    """What the requests of one store have cost.

    Attributes:
        waits_s: seconds that each `settle` took.
        cpu_s: of this process, for each request.
        transmissions: round trips for each request; nan = there is no server.
        server: what each request cost the server.
        tick_s: seconds of an exchange that tells all edges, and of one that tells those of a second.
        edges: how many those were.
        full_per_s: requests a second that one process makes as fast as it can.
        full: what each of these cost the server.
    """

    waits_s: np.ndarray
    cpu_s: float
    transmissions: float
    server: Meter
    tick_s: tuple[float, float]
    edges: int
    full_per_s: float
    full: Meter


class Subject(NamedTuple):
    """A store to measure: what reads its server's meter, and how many transmissions there were."""

    store: SharedStore
    meter: Callable[[], Meter]
    transmissions: Callable[[], float]


@contextmanager
def sqlite(folder: Path) -> Generator[Subject]:
    file = folder / "store.db"
    yield Subject(SQLiteStore(file), Meter, lambda: float("nan"))


@contextmanager
def redis(folder: Path, appendfsync: str = "everysec") -> Generator[Subject]:
    with redis_server.running_redis(folder / "redis", appendfsync=appendfsync) as server:
        store = RedisStore(server.url)
        with _counted(Link) as sent:
            yield Subject(store, lambda: _redis_meter(server, folder / "redis"), lambda: sent["run"])


@contextmanager
def _counted(kind: type) -> Generator[Counter[str]]:
    """Counts how often `run` of a class is called meanwhile."""
    run, calls = kind.run, Counter[str]()

    async def counted(self, commands):
        calls["run"] += 1
        return await run(self, commands)

    kind.run = counted
    try:
        yield calls
    finally:
        kind.run = run


@contextmanager
def redis_always(folder: Path) -> Generator[Subject]:
    with redis(folder, "always") as subject:
        yield subject


@contextmanager
def postgres(_: Path) -> Generator[Subject]:
    import postgres_meter  # whose driver is an extra
    from banditroute.storage.postgres.store import PostgresStore

    with postgres_server.running_postgres(fsync=True) as server, postgres_meter.counting() as sent:
        yield Subject(PostgresStore(server.url), _postgres_meter(server, sent), lambda: sent["statements"])


@contextmanager
def paired(folder: Path) -> Generator[Subject]:
    import postgres_meter  # whose driver is an extra
    from banditroute.storage.paired.store import PairedStore

    with (
        postgres_server.running_postgres(fsync=True) as log,
        redis_server.running_redis(folder / "redis", appendfsync="everysec") as server,
        postgres_meter.counting() as sent,
        _counted(Link) as asked,
    ):
        logged = _postgres_meter(log, sent)

        def meter() -> Meter:
            both = zip(logged(), _redis_meter(server, folder / "redis"), strict=True)
            return Meter(*(mine + theirs for mine, theirs in both))

        yield Subject(PairedStore(log.url, server.url), meter, lambda: sent["statements"] + asked["run"])


def _postgres_meter(server: postgres_server.PostgresServer, sent: Counter[str]) -> Callable[[], Meter]:
    import postgres_meter  # whose driver is an extra

    def meter() -> Meter:
        found = postgres_meter.totals(server)
        return Meter(found.cpu_s, sent["bytes"], 0.0, sent["statements"], found.held_bytes, found.log_bytes)

    return meter


STORES: Mapping[str, Callable[[Path], object]] = {
    "SQLite": sqlite,
    **({} if redis_server.binary() is None else {"Redis, `everysec`": redis, "Redis, `always`": redis_always}),
    **({} if postgres_server.programs() is None else {"PostgreSQL": postgres}),
    **({} if None in (postgres_server.programs(), redis_server.binary()) else {"Redis, log in PostgreSQL": paired}),
}


def main() -> None:
    """Measures and writes."""
    started = time.perf_counter()
    found: dict[str, Measured] = {}
    with hurried() as prior:
        for name, opened in STORES.items():
            with tempfile.TemporaryDirectory() as folder, opened(Path(folder)) as subject:
                found[name] = asyncio.run(measured(subject))
                print(name, found[name].server)
    note = f"{footnote(started, __file__)}, {prior} real-time priority."
    write_part("sizing.md", "measured", f"{_costs(found)}\n\n{note}")
    write_part("sizing.md", "paper", _paper(found))


async def measured(subject: Subject) -> Measured:
    """What requests at a steady rate cost."""
    store = subject.store
    await store.open()
    for number in range(50):  # scripts, connections and caches are made
        await _one(store, _dispatch(-1 - number), [])
    subject.transmissions()
    before, sent, cpu_s = subject.meter(), subject.transmissions(), time.process_time()
    waits_s = await _load(store)
    cpu_s, after = time.process_time() - cpu_s, subject.meter()
    sent = subject.transmissions() - sent
    requests = len(waits_s)
    first = await _tick(store, 0)
    await _load(store, seconds=1)
    later = await _tick(store, first[1].version)
    begun, full = time.perf_counter(), subject.meter()
    await _full_load(store)
    full_per_s, full = AT_ONCE * EACH / (time.perf_counter() - begun), subject.meter().per(AT_ONCE * EACH, full)
    await store.aclose()
    ticks = first[0], later[0]
    return Measured(
        np.array(waits_s),
        cpu_s / requests,
        sent / requests,
        after.per(requests, before),
        ticks,
        len(first[1].evidence),
        full_per_s,
        full,
    )


async def _load(store: SharedStore, seconds: int = SECONDS) -> list[float]:
    """Requests at the rate; the seconds that each waited for its `settle`."""
    waits_s: list[float] = []
    loop, tasks, offset = asyncio.get_running_loop(), [], time.monotonic_ns()
    began = loop.time()
    for number in range(RATE * seconds):
        await asyncio.sleep(max(began + number / RATE - loop.time(), 0))
        tasks.append(asyncio.create_task(_one(store, _dispatch(offset + number), waits_s)))
    await asyncio.gather(*tasks)
    return waits_s


async def _full_load(store: SharedStore) -> None:
    """Requests as fast as they come, so many at once."""
    numbers = itertools.count(time.monotonic_ns())

    async def work() -> None:
        for number in itertools.islice(numbers, EACH):
            await _one(store, _dispatch(number), [], wait_s=0.0)

    await asyncio.gather(*(work() for _ in range(AT_ONCE)))


async def _one(store: SharedStore, dispatch: Dispatch, waits_s: list[float], wait_s: float = 0.05) -> None:
    store.begin(dispatch)
    await asyncio.sleep(wait_s)
    settlement = a_settlement(dispatch)
    began = time.perf_counter()
    await store.settle(settlement)
    waits_s.append(time.perf_counter() - began)


async def _tick(store: SharedStore, known: int):
    began = time.perf_counter()
    news = await store.exchange(Report("measuring", 60.0, 60.0, known=known))
    return time.perf_counter() - began, news


def _dispatch(number: int) -> Dispatch:
    dispatch = a_dispatch(abs(number) % 997, width=FEATURES)
    return replace(dispatch, decision=replace(dispatch.decision, decision_id=f"{number:032d}"))


def _costs(found: Mapping[str, Measured]) -> str:
    lines = [
        "| store | `settle` p50, ms | p99, ms | own CPU, us | server's CPU, us | the same at full load | round trips "
        "| commands | bytes sent | bytes received | bytes kept | bytes logged | tick, ms |",
        "|" + "---|" * 13,
    ]
    for name, each in found.items():
        p50, p99 = np.quantile(each.waits_s, [0.5, 0.99]) * 1e3
        server = each.server
        cells = [
            name,
            f"{p50:.2f}",
            f"{p99:.1f}",
            f"{each.cpu_s * 1e6:.0f}",
            *(_cell(value) for value in (server.cpu_s * 1e6, each.full.cpu_s * 1e6, each.transmissions)),
            *(_cell(value) for value in (server.commands, server.in_bytes, server.out_bytes)),
            *(_cell(value) for value in (server.held_bytes, server.log_bytes)),
            f"{each.tick_s[1] * 1e3:.1f}",
        ]
        lines.append(f"| {' | '.join(cells)} |")
    edges = max(each.edges for each in found.values())
    return "\n".join(
        [*lines, "", f"A tick tells all edges that there are here: {edges} of {FEATURES + 2} inputs each."]
    )


def _paper(found: Mapping[str, Measured]) -> str:
    lines = [
        "| store | requests/s | network, MB/s | server's cores | log, MB/s | kept for an hour, GB | for a day, GB |",
        "|" + "---|" * 7,
    ]
    for name, each in found.items():
        server = each.server
        if not server.commands:
            continue
        for rate in RATES:
            network = (server.in_bytes + server.out_bytes) * rate / 1e6
            cores = (server if rate <= RATE else each.full).cpu_s * rate / BUSY
            kept = server.held_bytes * rate / 1e9
            cells = [name, f"{rate:,}", *(_large(v) for v in (network, cores, server.log_bytes * rate / 1e6))]
            lines.append(f"| {' | '.join([*cells, _large(kept * 3600), _large(kept * DAY_S)])} |")
    return "\n".join(lines)


def _cell(value: float) -> str:
    return "" if not value or np.isnan(value) else _large(value)


def _large(value: float) -> str:
    return f"{value:,.0f}" if value >= 10 else f"{value:.2g}"


def _redis_meter(server: redis_server.RedisServer, folder: Path) -> Meter:
    told = server.command("INFO", "ALL").decode()

    def number(name: str) -> float:
        match = re.search(rf"^{name}:([\d.]+)", told, re.MULTILINE)
        assert match is not None, name
        return float(match[1])

    calls = re.search(r"cmdstat_evalsha:calls=(\d+)", told)
    return Meter(
        number("used_cpu_user") + number("used_cpu_sys"),
        number("total_net_input_bytes"),
        number("total_net_output_bytes"),
        float(calls[1]) if calls else 0.0,
        number("used_memory_dataset"),
        sum(_sizes(folder / "appendonlydir")),
    )


def _sizes(folder: Path) -> list[int]:
    return [file.stat().st_size for file in folder.iterdir() if file.is_file()]


if __name__ == "__main__":
    main()
