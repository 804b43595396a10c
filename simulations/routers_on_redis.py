"""Writes the parts of docs/redis.md and docs/sizing.md that whole routers on one Redis server have been measured for.

Three questions, each to processes that route to a loopback server of their own and share one private Redis server:

- Four processes answer 20,000 requests. Is the evidence that Redis has merged what adding up the log one lesson after
  another gives, and what was spent of a cap that is not enough for all?
- The network between two of three routers and the server loses everything for ten seconds. What is lost, counted twice,
  spent beyond the cap, and how long does anybody wait?
- How much later does `chat` return than with SQLite, at 500 requests a second?

Run: `python simulations/routers_on_redis.py [REQUESTS]`; about a minute and a half on two cores. Only with all 20,000
requests does it write the pages. Where it may, it asks for real-time priority for the last.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncGenerator, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

from banditroute import BanditrouteError, BudgetExceededError, Router, open_router
from banditroute.routing.lessons import Edge
from banditroute.storage.packing import packed, sums_of
from banditroute.storage.protocol import Trail
from banditroute.storage.redis.store import RedisReader
from banditroute.storage.tally import taught_by
from banditroute.testing.faulty_server import FaultyServer
from banditroute.testing.partition import Partition, partition_before
from banditroute.testing.redis_server import RedisServer, running_redis
from marked_page import footnote, write_part
from priority import hurried

REQUESTS, WORKERS, AT_ONCE = 20_000, 4, 16
SHORT_BY = 0.1  # of all requests: what the cap is not enough for
BEFORE_S, CUT_S, AFTER_S, A_SECOND = 5.0, 10.0, 8.0, 40
CHAT_RATE, CHAT_SECONDS, CHAT_ROUNDS = 500, 2, 6
USD = 9.5e-6  # of an answer of the loopback server, about
QUESTION = "What is the capital of France?"

CONFIG = """
[[providers]]
name = "loopback"
kind = "openai"
base_url = "{url}"

[[models]]
name = "small"
provider = "loopback"
input_usd_per_mtok = 0.15
output_usd_per_mtok = 0.60
max_output_tokens = 1000

[[models]]
name = "large"
provider = "loopback"
input_usd_per_mtok = 0.30
output_usd_per_mtok = 1.20
max_output_tokens = 1000

[[budgets]]
name = "day"
usd = {cap}
per = "day"
paced = false
on_exhausted = "reject"

[routing.drift]
watch = false

[store]
{store}
"""
ON_REDIS = 'kind = "redis"\nurl = "{url}"\nnamespace = "{namespace}"'
ON_SQLITE = 'kind = "sqlite"\npath = "{folder}/store.db"'


@dataclass
class Book:
    """What came of requests: how many of each ending, the seconds of each, and the decisions that were answered."""

    endings: Counter[str] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)
    answered: list[str] = field(default_factory=list)

    async def ask(self, router: Router) -> None:
        """One request, judged where it is answered."""
        began = time.perf_counter()
        try:
            answer = await router.chat(QUESTION, task="qa", max_tokens=20)
        except BudgetExceededError:
            self.endings["refused"] += 1
            return
        except BanditrouteError as error:
            self.endings[type(error).__name__] += 1
            return
        self.seconds.append(time.perf_counter() - began)
        self.endings["recorded" if answer.recorded else "recorded later"] += 1
        self.answered.append(answer.decision_id)

    async def ask_at(self, router: Router, per_s: float, seconds: float) -> None:
        """Requests at a steady rate."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        async with asyncio.TaskGroup() as group:
            for number in range(round(per_s * seconds)):
                await asyncio.sleep(max(began + number / per_s - loop.time(), 0.0))
                group.create_task(self.ask(router))


@asynccontextmanager
async def routers(folder: Path, stores: Sequence[str], cap: float) -> AsyncGenerator[list[Router]]:
    """Routers in this process, one on each store, with one provider in another process."""
    with subprocess.Popen([sys.executable, __file__, "--provider"], stdout=subprocess.PIPE, text=True) as provider:
        assert provider.stdout is not None
        url = provider.stdout.readline().strip()
        try:
            async with AsyncExitStack() as stack:
                opened: list[Router] = []
                for number, store in enumerate(stores):
                    config = folder / f"router-{number}.toml"
                    config.write_text(CONFIG.format(url=url, cap=cap, store=store), encoding="utf-8")
                    opened.append(await stack.enter_async_context(open_router(config)))
                yield opened
        finally:
            provider.terminate()


# Four processes


async def merged(server: RedisServer, folder: Path, requests: int) -> str:
    """What four processes came to."""
    cap = USD * requests * (1.0 - SHORT_BY)
    command = (sys.executable, __file__, "--worker", server.url, str(requests // WORKERS), f"{cap:.9f}")
    began = time.perf_counter()
    workers = [
        await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE, cwd=folder) for _ in range(WORKERS)
    ]
    told = [await worker.communicate() for worker in workers]
    seconds = time.perf_counter() - began
    answered = sum(int(out.split()[0]) for out, _ in told)
    refused = sum(int(out.split()[1]) for out, _ in told)
    reader = RedisReader(server.url, namespace="merged")
    await reader.open()
    try:
        state = await reader.state()
        serial, rows = one_by_one([trail async for trail in reader.trails()])
    finally:
        await reader.aclose()
    assert set(serial) == set(state.evidence)
    apart = max(_apart(packed(state.evidence[edge]), serial[edge]) for edge in serial)
    spent = sum(state.spent_usd.values()) / cap
    lines = [
        "| processes | requests | answered | refused at the cap | outcomes on record | evidence off a serial sum "
        "| spent of the cap | requests/s |",
        "|---|---|---|---|---|---|---|---|",
        f"| {WORKERS} | {requests:,} | {answered:,} | {refused:,} | {rows:,} | {apart:.0e} | {spent:.4f} "
        f"| {requests / seconds:,.0f} |",
    ]
    if rows != answered or apart > 1e-9 or spent > 1.01 or answered + refused != requests:
        raise SystemExit(f"broken: {lines[-1]}")
    return "\n".join(lines)


def one_by_one(trails: Iterable[Trail]) -> tuple[dict[Edge, np.ndarray], int]:
    """The evidence of a log, added up one lesson after another, and how many outcomes are in it."""
    sums: dict[Edge, np.ndarray] = {}
    rows = 0
    for trail in trails:
        rows += trail.outcome is not None
        for lesson in taught_by(trail):
            for edge, vector in sums_of([lesson]).items():
                sums[edge] = sums[edge] + vector if edge in sums else vector
    return sums, rows


def _apart(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.abs(one - other).max() / max(np.abs(other).max(), 1e-300))


async def worker(url: str, requests: int, cap: float) -> None:
    """One of the processes; says how many it answered and how many it refused."""
    book, left = Book(), iter(range(requests))
    async with FaultyServer() as server:
        with tempfile.TemporaryDirectory() as folder:
            config = Path(folder) / "router.toml"
            store = ON_REDIS.format(url=url, namespace="merged")
            config.write_text(CONFIG.format(url=server.base_url, cap=cap, store=store), encoding="utf-8")
            async with open_router(config) as router:

                async def work() -> None:
                    for _ in left:
                        await book.ask(router)

                await asyncio.gather(*(work() for _ in range(AT_ONCE)))
    print(len(book.answered), book.endings["refused"])


# A partition


async def cut_off(server: RedisServer, folder: Path) -> str:
    """What ten seconds without a network came to, for two routers of three."""
    requests = round((BEFORE_S + CUT_S + AFTER_S) * A_SECOND)
    cap = USD * 3 * requests * 0.8
    async with partition_before(server.socket) as partition:
        urls = (server.url, *[f"redis://127.0.0.1:{partition.port}/0"] * 2)
        stores = [ON_REDIS.format(url=url, namespace="cut") for url in urls]
        books, waited_s = await _phases(folder, stores, cap, partition)
    reader = RedisReader(server.url, namespace="cut")
    await reader.open()
    try:
        state = await reader.state()
        trails = [trail async for trail in reader.trails()]
    finally:
        await reader.aclose()
    on_record = [trail.decision.decision_id for trail in trails if trail.outcome is not None and trail.outcome.ok]
    answered = {name for book in books.values() for name in book.answered}
    counted = round(sum(float(sums.n) for edge, sums in state.evidence.items() if edge.signal == "log_tokens"))
    spent = sum(state.spent_usd.values()) / cap
    lines = [
        "| | answered at once on record | answered, on record later | refused | slowest answer, s |",
        "|---|---|---|---|---|",
        *(_line(name, book) for name, book in books.items()),
    ]
    lost = len(answered - set(on_record))
    text = (
        f"All {len(answered):,} answers were on record {waited_s:.1f} s after the network was back: {lost} are lost, "
        f"the evidence counts {counted:,}, and {spent:.4f} of the cap is spent."
    )
    if lost or counted != len(set(on_record)) or len(on_record) != len(answered) or spent > 1.01:
        raise SystemExit(f"broken: {text} {len(on_record)}")
    return "\n".join([*lines, "", text])


async def _phases(
    folder: Path, stores: Sequence[str], cap: float, partition: Partition
) -> tuple[dict[str, Book], float]:
    books: dict[str, Book] = {}
    async with routers(folder, stores, cap) as three:
        for name, seconds in (("before", BEFORE_S), ("without a network", CUT_S), ("after", AFTER_S)):
            if name == "without a network":
                partition.begin()
            whole, cut = Book(), Book()
            async with asyncio.TaskGroup() as group:
                for router, book in zip(three, (whole, cut, cut), strict=True):
                    group.create_task(book.ask_at(router, A_SECOND, seconds))
            if name == "without a network":
                partition.end()
                back_at = time.perf_counter()
                await asyncio.gather(*(_caught_up(router) for router in three))
                waited_s = time.perf_counter() - back_at
            books[f"{name}: the one that has it"] = whole
            books[f"{name}: the two"] = cut
    return books, waited_s


async def _caught_up(router: Router) -> None:
    """Returns once all that a router has asked to be written is written."""
    while True:
        try:
            await router.learner.store.recent(1)
        except BanditrouteError:
            await asyncio.sleep(0.02)
        else:
            return


def _line(name: str, book: Book) -> str:
    slowest = max(book.seconds, default=0.0)
    other = {key: n for key, n in book.endings.items() if key not in ("recorded", "recorded later", "refused")}
    if other:
        raise SystemExit(f"broken: {name}: {other}")
    now, later, refused = (book.endings[key] for key in ("recorded", "recorded later", "refused"))
    return f"| {name} | {now:,} | {later:,} | {refused:,} | {slowest:.2f} |"


# Beside SQLite


async def beside(server: RedisServer, folder: Path) -> str:
    """The seconds of `chat` on both kinds of store, in turn."""
    waits: dict[str, list[float]] = {"SQLite": [], "Redis, `everysec`": []}
    stores = [ON_SQLITE.format(folder=folder), ON_REDIS.format(url=server.url, namespace="beside")]
    async with routers(folder, stores, 1e6) as both:
        for number in range(CHAT_ROUNDS):
            for name, router in zip(waits, both, strict=True):
                book = Book()
                await book.ask_at(router, CHAT_RATE, CHAT_SECONDS if number else 0.5)
                waits[name] += book.seconds if number else []
    lines = ["| store | `chat` p50, ms | p99, ms | later than with SQLite, p50, ms |", "|---|---|---|---|"]
    first = np.quantile(waits["SQLite"], 0.5) * 1e3
    for name, seconds in waits.items():
        p50, p99 = np.quantile(seconds, [0.5, 0.99]) * 1e3
        lines.append(f"| {name} | {p50:.2f} | {p99:.1f} | {f'{p50 - first:+.2f}' if name != 'SQLite' else ''} |")
    return "\n".join(lines)


async def provide() -> None:
    """A provider that answers at once, until it is ended; says where it is."""
    async with FaultyServer() as server:
        print(server.base_url, flush=True)
        await asyncio.Event().wait()


async def main(requests: int) -> None:
    """Measures and writes."""
    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as name, running_redis(Path(name) / "redis", appendfsync="everysec") as server:
        folder = Path(name)
        with hurried() as prior:
            chats = await beside(server, folder)
        print(chats, flush=True)
        parts = await merged(server, folder, requests), await cut_off(server, folder)
        print(*parts, sep="\n\n")
    note = footnote(started, __file__)
    if requests == REQUESTS:
        write_part("sizing.md", "chat", f"{chats}\n\n{note}, {prior} real-time priority.")
        write_part("redis.md", "merged", f"{parts[0]}\n\n{note}.")
        write_part("redis.md", "cut", f"{parts[1]}\n\n{note}.")


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["--provider"]:
            asyncio.run(provide())
        case ["--worker", url, some, cap]:
            asyncio.run(worker(url, int(some), float(cap)))
        case [some]:
            asyncio.run(main(int(some)))
        case _:
            asyncio.run(main(REQUESTS))
