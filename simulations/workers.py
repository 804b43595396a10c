"""Asks what a second worker is worth: requests/s and CPU per request of `banditroute serve` with one and with two.

Both gateways run beside each other on stores of their own, with a provider that answers at once in a process of its
own. Rounds alternate, so that what disturbs the machine disturbs both. Provider and callers speak HTTP by a few lines
of their own, for what they use of the cores the gateway lacks: with two cores, about a tenth of what is measured.
`--write` writes the measured part of docs/gateway-workers.md. About 80 seconds on two cores.
"""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import argparse
import asyncio
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from marked_page import footnote, write_part

TICKS = os.sysconf("SC_CLK_TCK")
ANSWER = json.dumps(
    {
        "id": "c",
        "object": "chat.completion",
        "created": 0,
        "model": "m",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": "Paris."}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 18, "completion_tokens": 8, "total_tokens": 26},
    }
).encode()
RESPONSE = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (len(ANSWER), ANSWER)
QUESTION = b'{"model": "auto", "messages": [{"role": "user", "content": "What is the capital of France?"}]}'
REQUEST = (
    b"POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
    b"Content-Length: %d\r\n\r\n%b" % (len(QUESTION), QUESTION)
)
# Rounds that alternate with silence look like models that change all the time: nobody watches for that here.
CONFIG = """
[routing.drift]
watch = false

[[providers]]
name = "up"
kind = "openai"
base_url = "http://127.0.0.1:{port}/v1"

[[models]]
name = "small"
provider = "up"
input_usd_per_mtok = 0.15
output_usd_per_mtok = 0.6

[[models]]
name = "large"
provider = "up"
input_usd_per_mtok = 2.5
output_usd_per_mtok = 10.0

[[budgets]]
usd_per_request = 0.001

[store]
kind = "sqlite"
path = "{name}.db"

[gateway]
auth = "none"
"""


class Message(asyncio.Protocol):
    """One side of a connection that says the same thing for every whole message that it hears."""

    def __init__(self, says: bytes) -> None:
        self.says = says
        self.heard = 0
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while (length := _length(self._buffer)) and len(self._buffer) >= length:
            if self._buffer.startswith(b"HTTP/1.1 ") and not self._buffer.startswith(b"HTTP/1.1 200"):
                raise SystemExit(self._buffer.decode())
            self._buffer = self._buffer[length:]
            self.heard += 1
            self.transport.write(self.says)  # type: ignore[attr-defined]


def _length(buffer: bytes) -> int:
    """Bytes of the message at the head of a buffer; 0 where its head is not whole."""
    end = buffer.find(b"\r\n\r\n")
    if end < 0:
        return 0
    at = buffer.lower().find(b"content-length:", 0, end)
    return end + 4 + (int(buffer[at + 15 : buffer.find(b"\r\n", at)]) if at >= 0 else 0)


class Round(NamedTuple):
    """What one round came to."""

    per_s: float
    cpu_ms: float
    busy: float


@contextmanager
def process(*arguments: str, cwd: str) -> Generator[tuple[subprocess.Popen[str], str]]:
    """A process of this Python, with the first line that it writes."""
    with Path(cwd, "stderr").open("ab") as log:  # what drifts as rounds begin and end is no news
        started = subprocess.Popen([sys.executable, *arguments], stdout=subprocess.PIPE, stderr=log, text=True, cwd=cwd)
    try:
        assert started.stdout is not None
        yield started, started.stdout.readline()
    finally:
        started.terminate()
        started.wait(30)


def cpu_s(pid: int) -> float:
    """CPU seconds of a process and its children."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS + sum(cpu_s(int(child)) for child in children)


async def measured(pid: int, port: int, connections: int, seconds: float) -> Round:
    """A round: so many connections, each asking again as soon as it is answered."""
    loop = asyncio.get_running_loop()
    made = [await loop.create_connection(lambda: Message(REQUEST), "127.0.0.1", port) for _ in range(connections)]
    for transport, _ in made:
        transport.write(REQUEST)
    await asyncio.sleep(0.3)
    before, cpu, began = sum(each.heard for _, each in made), cpu_s(pid), time.perf_counter()
    await asyncio.sleep(seconds)
    answered, spent_s, took_s = (
        sum(each.heard for _, each in made) - before,
        cpu_s(pid) - cpu,
        time.perf_counter() - began,
    )
    for transport, _ in made:
        transport.abort()
    await asyncio.sleep(0.1)
    return Round(answered / took_s, 1e3 * spent_s / answered, spent_s / took_s)


def run(arguments: argparse.Namespace) -> dict[int, list[Round]]:
    """Rounds of each number of workers."""
    rounds: dict[int, list[Round]] = {1: [], 2: []}
    here = str(Path(__file__).resolve())
    with tempfile.TemporaryDirectory() as folder, process(here, "--provider", cwd=folder) as (_, port):
        for count in rounds:
            text = CONFIG.format(port=port.strip(), name=count)
            Path(folder, f"{count}.toml").write_text(text, encoding="utf-8")
        serve = ("-m", "banditroute", "serve", "--port", "0", "--json", "--config")
        with (
            process(*serve, "1.toml", cwd=folder) as one,
            process(*serve, "2.toml", "--workers", "2", cwd=folder) as two,
        ):
            told = {1: json.loads(one[1]), 2: json.loads(two[1])}
            for _ in range(arguments.rounds):
                for count, at in told.items():
                    port = int(at["url"].rpartition(":")[2])
                    rounds[count].append(
                        asyncio.run(measured(at["pid"], port, arguments.connections, arguments.seconds))
                    )
                    print(count, *(f"{value:.3f}" for value in rounds[count][-1]), file=sys.stderr)
    return rounds


def table(rounds: dict[int, list[Round]]) -> str:
    """What was measured, as a page shows it."""

    def middle(count: int, field: int) -> float:
        return statistics.median(each[field] for each in rounds[count])

    ratio = statistics.median(two.per_s / one.per_s for one, two in zip(rounds[1], rounds[2], strict=True))
    rows = [
        f"| {count} | {middle(count, 0):.0f} | {middle(count, 1):.2f} | {middle(count, 2):.2f} |" for count in rounds
    ]
    lines = ["| workers | requests/s | CPU ms a request | cores busy |", "|---:|---:|---:|---:|", *rows]
    free = 2 * middle(1, 1) / middle(2, 1)
    told = f"Two workers answered {ratio:.2f} times what one did (median of rounds). By CPU alone, on two cores that"
    return "\n".join([*lines, "", told, f"nobody else uses, they would answer {free:.2f} times as much."])


async def provide() -> None:
    """Answers for ever, at once, at a port that it writes."""
    server = await asyncio.get_running_loop().create_server(lambda: Message(RESPONSE), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


def main(argv: Sequence[str]) -> None:
    """Measures, prints, writes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--provider", action="store_true", help="only be the provider")
    parser.add_argument("--write", action="store_true", help="write the page's part")
    arguments = parser.parse_args(argv)
    try:
        import uvloop

        uvloop.install()
    except ImportError:
        pass
    if arguments.provider:
        asyncio.run(provide())
        return
    started = time.perf_counter()
    text = table(run(arguments))
    print(text)
    if arguments.write:
        write_part("gateway-workers.md", "measured", f"{text}\n\n{footnote(started, __file__)}.")


if __name__ == "__main__":
    main(sys.argv[1:])
