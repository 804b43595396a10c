"""A gateway on loopback in a thread of its own, over a provider that answers well in every protocol; for fuzzing."""

from __future__ import annotations

import asyncio
import http.client
import threading
import time
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from banditroute.config import load_config
from banditroute.gateway.dashboard.controls import MARK
from banditroute.gateway.serve import Gateway, Place, gateway
from banditroute.testing.faults import ok
from banditroute.testing.faulty_exchange import Exchange
from banditroute.testing.faulty_server import FaultyServer

CONFIG = """
[[providers]]
name = "host"
kind = "openai"
base_url = "{url}"
[[providers]]
name = "other"
kind = "anthropic"
base_url = "{url}"
[[models]]
name = "small"
provider = "host"
vision = true
input_usd_per_mtok = 1.0
output_usd_per_mtok = 2.0
max_output_tokens = 100
[[models]]
name = "claude"
provider = "other"
input_usd_per_mtok = 1.0
output_usd_per_mtok = 2.0
max_output_tokens = 100
[[models]]
name = "vectors"
provider = "host"
input_usd_per_mtok = 1.0
output_usd_per_mtok = 0.0
max_output_tokens = 100
[[budgets]]
usd = 1000000000.0
per = "day"
[store]
kind = "memory"
[retry]
rounds = 0
[breaker]
knock_s = 0.0
[gateway]
auth = "none"
access_log = "access.jsonl"
{settings}
"""
RESPONSE = {
    "id": "resp_1",
    "object": "response",
    "created_at": 1_700_000_000,
    "status": "completed",
    "output": [
        {"type": "message", "id": "m", "role": "assistant", "content": [{"type": "output_text", "text": "Paris."}]}
    ],
    "usage": {"input_tokens": 9, "output_tokens": 3, "total_tokens": 12},
}
RESPONSE_EVENTS = (
    {"type": "response.created", "response": {**RESPONSE, "status": "in_progress", "output": [], "usage": None}},
    {"type": "response.output_text.delta", "item_id": "m", "output_index": 0, "content_index": 0, "delta": "Paris."},
    {"type": "response.completed", "response": RESPONSE},
)
VECTORS = {
    "object": "list",
    "data": [{"object": "embedding", "index": 0, "embedding": [0.5, -0.25]}],
    "model": "vectors",
    "usage": {"prompt_tokens": 3, "total_tokens": 3},
}
MESSAGE = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "claude",
    "content": [{"type": "text", "text": "Paris."}],
    "stop_reason": "end_turn",
    "stop_sequence": None,
    "usage": {"input_tokens": 9, "output_tokens": 3},
}
MESSAGE_EVENTS = (
    {"type": "message_start", "message": {**MESSAGE, "content": [], "stop_reason": None}},
    {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Paris."}},
    {"type": "content_block_stop", "index": 0},
    {
        "type": "message_delta",
        "delta": {"stop_reason": "end_turn", "stop_sequence": None},
        "usage": {"output_tokens": 3},
    },
    {"type": "message_stop"},
)


async def provider(exchange: Exchange) -> None:
    """A good answer, in the words in which it was asked."""
    if "anthropic-version" in exchange.headers:
        return _told(exchange, MESSAGE, MESSAGE_EVENTS)
    if exchange.headers[":path"].endswith("/embeddings"):
        return exchange.reply(200, VECTORS)
    if exchange.headers[":path"].endswith("/responses"):
        return _told(exchange, RESPONSE, RESPONSE_EVENTS)
    return await ok(exchange)


def _told(exchange: Exchange, whole: dict[str, Any], events: tuple[dict[str, Any], ...]) -> None:
    if not exchange.stream:
        return exchange.reply(200, whole)
    exchange.begin_stream()
    for event in events:
        exchange.piece(b"event: %b\ndata: %b\n\n" % (str(event["type"]).encode(), orjson.dumps(event)))
    return exchange.end_stream()


@dataclass(frozen=True, slots=True)
class Lab:
    """A gateway that listens, in a thread of its own.

    Attributes:
        url: where.
        serving: what serves; touch it on its own loop alone.
        loop: that loop.
    """

    url: str
    serving: Gateway
    loop: asyncio.AbstractEventLoop

    @property
    def port(self) -> int:
        """Where it listens on loopback."""
        return int(self.url.rpartition(":")[2])

    def on_its_loop(self, work: Callable[[], Awaitable[Any]]) -> Any:
        """What comes of work that is done there."""
        return asyncio.run_coroutine_threadsafe(_awaited(work), self.loop).result(20.0)

    def open_books(self) -> list[str]:
        """What is not settled, in words; waits a moment for what is being settled."""
        return self.on_its_loop(self._open_books)

    async def _open_books(self) -> list[str]:
        router = self.serving.router
        for _ in range(200):
            reserved_usd = sum(each.reserved_usd for each in router.learner.ledger.accounts(time.time()))
            found = {
                "in work": self.serving.front.gate.in_work,
                "under way": len(router.works[-1].serving.under_way),
                "dollars reserved": reserved_usd,
                "without an outcome": len(await router.learner.store.unsettled()),
            }
            if not any(found.values()):
                break
            await asyncio.sleep(0.02)
        return [f"{name}: {value}" for name, value in found.items() if value]


async def _awaited(work: Callable[[], Awaitable[Any]]) -> Any:
    return await work()


@contextmanager
def lab(folder: Path, settings: str = "") -> Generator[Lab]:
    """A gateway; lines of its [gateway] table beside the usual."""
    started, found = threading.Event(), list[Any]()

    async def serve() -> None:
        ended = asyncio.Event()
        async with FaultyServer(default=provider) as server:
            path = folder / "router.toml"
            path.write_text(CONFIG.format(url=server.base_url, settings=settings), encoding="utf-8")
            async with gateway(load_config(path), Place(port=0), {}) as serving:
                found.extend((Lab(serving.url, serving, asyncio.get_running_loop()), ended))
                started.set()
                await ended.wait()

    thread = threading.Thread(target=asyncio.run, args=(serve(),), daemon=True)
    thread.start()
    if not started.wait(20):
        raise RuntimeError("the gateway did not start")
    made, ended = found
    try:
        yield made
    finally:
        made.loop.call_soon_threadsafe(ended.set)
        thread.join(20)


def post(connection: http.client.HTTPConnection, path: str, body: bytes) -> tuple[int, bytes]:
    """The status and the answer to a body; raises AssertionError where it is no answer to any body."""
    opened = connection.sock
    connection.request("POST", path, body, {"Content-Type": "application/json", MARK: "1"})
    response = connection.getresponse()
    answer = response.read()
    assert response.status < 500 or (response.status != 500 and b'"code"' in answer), (response.status, answer, body)
    assert opened is None or connection.sock is opened, f"hung up after {body!r}"
    if response.status >= 400:
        assert orjson.loads(answer)["error"]["message"]
    return response.status, answer
