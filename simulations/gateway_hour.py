"""Does a gateway stay as it is through an hour of traffic? Writes the measured part of docs/gateway-endurance.md.

One `banditroute serve` process (SQLite, learning, a pace, three caps, four keys) takes the 360,000 requests of an hour
at 100 a second, as fast as it can: chats, streams, tools, both protocols, embeddings, wrong requests, callers that
leave; providers that fail, stall and are slow; judgements of a third of the answers; a dashboard that watches and
metrics that are scraped. Memory and open files must stay as they are after the warm-up, and what is spent and learned
must be what the log says.

Run: `python simulations/gateway_hour.py`; a quarter of an hour or so on two free cores. `--requests 30000` is for
trying out: it prints, and leaves the page as it is. It reads /proc, so it needs Linux.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import aiohttp
import numpy as np

from banditroute.testing.faulty_server import FaultyServer
from hour_books import Books, books_of
from hour_process import Sample, Serving, serving
from hour_traffic import ADMIN_KEY, Heard, Traffic
from hour_upstream import Upstream
from marked_page import footnote, write_part

HOUR, AT_ONCE, SEED = 360_000, 64, 20261126
SAMPLE_S, SHOW_S, SCRAPE_S, LOOK_S = 0.5, 5.0, 2.0, 7.0
REST_S = 30.0
WARM = 1 / 4  # of the requests; what comes after them is what is looked at
MOST_MB_PER_100K = 2.0
MOST_FDS = 4  # more at rest than before the first request
TRIAL_USD_PER_REQUEST = 1.2e-6  # of all requests: a third or so of what the trial's would cost
ADMIN = {"authorization": f"Bearer {ADMIN_KEY}"}


class Run(NamedTuple):
    """What was seen.

    Attributes:
        samples: while it worked, and one at rest before the first request and after the last.
        heard: what the gateway acknowledged.
        books: what is on record.
        wall_s: how long the requests took.
        exit_code: with which the process ended.
        store_mb: the store's file.
    """

    samples: Sequence[Sample]
    heard: Heard
    books: Books
    wall_s: float
    exit_code: int
    store_mb: float

    @property
    def slope_mb(self) -> float:
        """MB of resident memory that 100,000 requests add after the warm-up."""
        warm = [each for each in self.samples if each.requests >= WARM * self.samples[-1].requests]
        return float(np.polyfit([each.requests for each in warm], [each.rss_mb for each in warm], 1)[0]) * 1e5

    @property
    def fds(self) -> tuple[int, int]:
        """Open files and sockets at rest: before the first request, after the last."""
        return self.samples[0].fds, self.samples[-1].fds

    def complaints(self) -> list[str]:
        """What is not as it has to be, in words."""
        before, after = self.fds
        return [
            *self.books.wrong[:20],
            *([f"{self.books.unsettled} decisions have no outcome"] if self.books.unsettled else []),
            *([f"{self.heard.answers[500]} answers were 500"] if self.heard.answers[500] else []),
            *([f"{after} files are open at rest, {before} were"] if after > before + MOST_FDS else []),
            *([f"it ended with {self.exit_code}"] if self.exit_code else []),
        ]


def main(arguments: Sequence[str] | None = None) -> int:
    """Measures, prints, and writes the page where it was the whole hour."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--requests", type=int, default=HOUR)
    requests = parser.parse_args(arguments).requests
    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        run = asyncio.run(hour(Path(folder), requests, shown))
    text = page_of(run, started)
    print(text)
    complaints = run.complaints()
    if requests >= HOUR:
        complaints += [f"memory grows by {run.slope_mb:.1f} MB"] if run.slope_mb > MOST_MB_PER_100K else []
        write_part("gateway-endurance.md", "measured", text)
    sys.stderr.write("".join(f"NOT SO: {each}\n" for each in complaints))
    return bool(complaints)


async def hour(folder: Path, requests: int, show: Callable[[Sample, float], None]) -> Run:
    """The traffic, and what came of it."""
    trial_usd = requests * TRIAL_USD_PER_REQUEST
    async with (
        FaultyServer(default=Upstream(SEED)) as server,
        serving(folder, server.base_url, trial_usd) as gateway,
    ):
        traffic = Traffic(gateway.url, SEED)
        samples = [gateway.sample(0)]
        began = time.perf_counter()
        async with _looked_at(gateway), _sampled(gateway, server, traffic, samples, show):
            await traffic.run(requests, AT_ONCE)
        wall_s = time.perf_counter() - began
        server.drop_connections()  # which the gateway keeps for what comes next
        gauges = await _at_rest(gateway)
        samples.append(gateway.sample(requests))
        exit_code = await gateway.end()
    store = folder / "store.db"
    books = await books_of(store, traffic.heard, gauges)
    return Run(samples, traffic.heard, books, wall_s, exit_code, store.stat().st_size / 2**20)


def shown(sample: Sample, rate: float) -> None:
    """Writes a line of progress."""
    sys.stderr.write(f"{sample.requests:9,} requests {rate:6.0f}/s {sample.rss_mb:7.1f} MB {sample.fds:4} open files\n")


def page_of(run: Run, started: float) -> str:
    """The measured part of the page."""
    count, answers = run.samples[-1].requests, run.heard.answers
    statuses = ", ".join(f"{answers[status]:,} x {status or 'cut'}" for status in sorted(answers))
    shares = [run.samples[0], *(_after(run.samples, share * count) for share in (0.05, 0.25, 0.5, 0.75, 1.0))]
    spent = ", ".join(
        f"{window.budget} {window.period} ${picos / 1e12:.6f}" for window, picos in sorted(run.books.picos.items())
    )
    lines = [
        "| after requests | resident MB | open files and sockets |",
        "|---|---|---|",
        *(f"| {each.requests:,} | {each.rss_mb:.1f} | {each.fds} |" for each in shares),
        f"| {count:,}, at rest | {run.samples[-1].rss_mb:.1f} | {run.samples[-1].fds} |",
        "",
        f"- {count:,} requests in {run.wall_s:.0f} s, {count / run.wall_s:.0f} a second, {AT_ONCE} at once; answers: "
        f"{statuses}.",
        f"- Memory after the first quarter: {run.slope_mb:+.2f} MB per 100,000 requests.",
        f"- Open files at rest: {run.fds[0]} before the first request, {run.fds[1]} after the last.",
        f"- Spent: {spent}: to the picodollar what the {run.books.decisions:,} decisions in the log were charged, "
        f"each of them what its outcome cost."
        if not run.books.wrong
        else f"- **Wrong**: {run.books.wrong[0]}.",
        f"- {len(run.heard.served):,} answers and {len(run.heard.judged):,} judgements were acknowledged; all are on "
        "record, none twice. Nothing is held, nothing is unsettled, and the log rebuilds the state to 1e-9.",
        f"- The store's file: {run.store_mb:.0f} MB, {run.store_mb * 1024 / max(run.books.decisions, 1):.1f} KB a "
        "decision.",
        "",
        f"{footnote(started, __file__)}.",
    ]
    return "\n".join(lines)


def _after(samples: Sequence[Sample], requests: float) -> Sample:
    """The last sample that was taken while it worked, up to so many requests."""
    return [each for each in samples[:-1] if each.requests <= requests][-1]


@asynccontextmanager
async def _sampled(
    gateway: Serving,
    server: FaultyServer,
    traffic: Traffic,
    samples: list[Sample],
    show: Callable[[Sample, float], None],
) -> AsyncIterator[None]:
    """Inside it, samples are taken and shown."""

    async def watch() -> None:
        due, before = time.perf_counter() + SHOW_S, 0
        while True:
            await asyncio.sleep(SAMPLE_S)
            server.headers.clear()  # it would remember them all
            samples.append(gateway.sample(traffic.sent))
            if (now := time.perf_counter()) >= due:
                show(samples[-1], (traffic.sent - before) / (now - due + SHOW_S))
                due, before = now + SHOW_S, traffic.sent

    async with _beside(watch()):
        yield


@asynccontextmanager
async def _looked_at(gateway: Serving) -> AsyncIterator[None]:
    """Inside it, a dashboard is looked at, others come and go, and metrics are scraped."""

    async def look(session: aiohttp.ClientSession, for_s: float) -> None:
        while True:
            try:
                async with asyncio.timeout(for_s), session.get(f"{gateway.url}/dashboard/events") as response:
                    async for _ in response.content.iter_any():
                        pass
            except TimeoutError:
                continue

    async def scrape(session: aiohttp.ClientSession) -> None:
        while True:
            await asyncio.sleep(SCRAPE_S)
            async with session.get(f"{gateway.url}/metrics") as response:
                await response.read()

    async with (
        aiohttp.ClientSession(headers=ADMIN, timeout=aiohttp.ClientTimeout()) as session,
        _beside(look(session, 1e9)),
        _beside(look(session, LOOK_S)),
        _beside(scrape(session)),
    ):
        yield


@asynccontextmanager
async def _beside(work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    task = asyncio.create_task(work)
    try:
        yield
        if task.done():
            await task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _at_rest(gateway: Serving) -> str:
    """The metrics, once nothing is in flight."""
    async with aiohttp.ClientSession(headers=ADMIN) as session, asyncio.timeout(REST_S):
        while True:
            async with session.get(f"{gateway.url}/metrics") as response:
                gauges = await response.text()
            if "\nbanditroute_requests_in_flight 0" in gauges:
                return gauges
            await asyncio.sleep(0.2)


if __name__ == "__main__":
    sys.exit(main())
