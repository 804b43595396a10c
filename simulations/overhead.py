"""Writes the measured part of docs/overhead.md: CPU per `router.chat` beside a bare call, and memory over 100,000.

Runs the mock upstream of the shared benchmarks in a process of its own and measures this process alone, in alternating
blocks, so that what disturbs the machine disturbs all. Reads ../shared; where absent it says so and changes nothing.
About five minutes on two cores.
"""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import asyncio
import gc
import json
import platform
import resource
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Coroutine
from datetime import date
from pathlib import Path
from typing import Any

import aiohttp

from banditroute import open_router
from banditroute.router import Router
from marked_page import write_part

ROOT = Path(__file__).resolve().parents[1]
MOCK = ROOT.parent / "shared" / "bench" / "gateway" / "mock_upstream.py"
PROMPT = [
    {"role": "system", "content": "You are a helpful assistant."},
    {"role": "user", "content": "What is the capital of France? Answer in one sentence."},
]
ROUNDS, BLOCK, AT_ONCE, MANY = 9, 300, 1000, 100_000

CONFIG = """
[[providers]]
name = "mock"
kind = "openai"
base_url = "http://127.0.0.1:{port}/v1"

[[models]]
name = "nano"
provider = "mock"
input_usd_per_mtok = 0.10
output_usd_per_mtok = 0.40
max_output_tokens = 4096

[[models]]
name = "mini"
provider = "mock"
input_usd_per_mtok = 0.15
output_usd_per_mtok = 0.60
max_output_tokens = 4096

[[models]]
name = "large"
provider = "mock"
input_usd_per_mtok = 2.50
output_usd_per_mtok = 10.00
max_output_tokens = 4096

[[budgets]]
usd_per_request = 0.0001

[[budgets]]
usd = 1000.0
per = "day"

[store]
{store}
"""

Call = Callable[[], Awaitable[object]]


def config(folder: Path, port: int, store: str) -> Path:
    path = folder / f"{len(store)}.toml"
    path.write_text(CONFIG.format(port=port, store=store))
    return path


async def cpu_us(call: Call, times: int, at_once: int) -> float:
    """CPU microseconds of this process per call, so many of them in flight."""

    async def some() -> None:
        for _ in range(times // at_once):
            await call()

    begun = time.process_time()
    await asyncio.gather(*(some() for _ in range(at_once)))
    return 1e6 * (time.process_time() - begun) / (times // at_once * at_once)


def routed(router: Router) -> Call:
    return lambda: router.chat(PROMPT, task="qa", temperature=0.2, max_tokens=64)


def bare(session: aiohttp.ClientSession, url: str) -> Call:
    headers = {"content-type": "application/json", "authorization": "Bearer none"}
    body = {"model": "gpt-4o-mini", "messages": PROMPT, "temperature": 0.2, "max_tokens": 64}

    async def call() -> str:
        async with session.post(url, data=json.dumps(body).encode(), headers=headers) as response:
            return json.loads(await response.read())["choices"][0]["message"]["content"]

    return call


async def measure(port: int, folder: Path, memory_too: bool) -> list[str]:
    """Lines of the page for one event loop."""
    url = f"http://127.0.0.1:{port}/v1/chat/completions"
    connector = aiohttp.TCPConnector(limit=0)
    lines: list[str] = []
    async with (
        aiohttp.ClientSession(connector=connector) as session,
        open_router(config(folder, port, 'kind = "memory"')) as memory,
        open_router(config(folder, port, f'kind = "sqlite"\npath = "{folder}/bench.db"')) as sqlite,
    ):
        calls = {"bare": bare(session, url), "memory": routed(memory), "sqlite": routed(sqlite)}
        for at_once in (1, 16):
            lines.append(f"| {at_once} | {await ratios(calls, at_once)} |")
            say(lines[-1])
        if memory_too:
            for router, store in ((memory, "memory"), (sqlite, "sqlite")):
                lines.append(f"- {store}: {AT_ONCE:,} at once: {await all_at_once(router)}; {await growth(router)}")
                say(lines[-1])
    return lines


def say(line: str) -> None:
    sys.stderr.write(f"{line}\n")


async def ratios(calls: dict[str, Call], at_once: int) -> str:
    """Median CPU of each, and the median over rounds of its ratio to the bare call of the same round."""
    for call in calls.values():
        await cpu_us(call, 100, at_once)
    rounds = [{name: await cpu_us(call, BLOCK, at_once) for name, call in calls.items()} for _ in range(ROUNDS)]
    parts: list[str] = []
    for name in calls:
        us = statistics.median(each[name] for each in rounds)
        ratio = statistics.median(each[name] / each["bare"] for each in rounds)
        parts.append(f"{us:.0f}" if name == "bare" else f"{us:.0f} ({ratio:.2f}x)")
    return " | ".join(parts)


async def all_at_once(router: Router) -> str:
    results = await asyncio.gather(*(routed(router)() for _ in range(AT_ONCE)), return_exceptions=True)
    errors = sum(isinstance(result, BaseException) for result in results)
    return f"{errors} errors"


async def growth(router: Router) -> str:
    call, marks = routed(router), []
    for _ in range(5):
        await cpu_us(call, MANY // 5, 64)
        gc.collect()
        marks.append(resident_mb())
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    listed = ", ".join(f"{mark:.0f}" for mark in marks)
    return f"resident MB after each fifth of {MANY:,} requests, 64 at once: {listed} (peak {peak:.0f})"


def resident_mb() -> float:
    fields = Path("/proc/self/statm").read_text().split()
    return int(fields[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


def wait_for(port: int) -> None:
    for _ in range(100):
        with socket.socket() as s:
            if s.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise SystemExit("the mock upstream did not start")


def main() -> None:
    if not MOCK.exists():
        print(f"skipped: {MOCK.relative_to(ROOT.parent)} is not there")
        return
    port = free_port()
    upstream = subprocess.Popen([sys.executable, str(MOCK), str(port)])
    try:
        wait_for(port)
        text = page(port)
    finally:
        upstream.terminate()
        upstream.wait()
    write_part("overhead.md", "measured", text.rstrip("\n"))
    print(text)


def page(port: int) -> str:
    machine = f"{platform.machine()}, {os.cpu_count()} shared cores, Python {platform.python_version()}"
    lines = [
        f"Written by `simulations/overhead.py` on {date.today().isoformat()} ({machine}). CPU microseconds of this "
        f"process per call, median of {ROUNDS} interleaved rounds of {BLOCK} calls; in brackets its median ratio to a "
        "bare call.",
    ]
    for number, (name, runner) in enumerate(loops().items()):
        with tempfile.TemporaryDirectory() as folder:
            found = runner(measure(port, Path(folder), number == 0))
        rows = [line for line in found if line.startswith("|")]
        lines += ["", f"| {name}: calls at once | bare | memory store | SQLite store |", "|---|---|---|---|", *rows]
        rest = [line for line in found if not line.startswith("|")]
        lines += ["", *rest] if rest else []
    return "\n".join(lines) + "\n"


def loops() -> dict[str, Callable[[Coroutine[Any, Any, list[str]]], list[str]]]:
    """The event loops to measure with: asyncio's own, and uvloop where it is installed."""
    try:
        import uvloop
    except ImportError:
        return {"asyncio": asyncio.run}
    return {"asyncio": asyncio.run, "uvloop": uvloop.run}


if __name__ == "__main__":
    main()
