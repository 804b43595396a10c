"""OpenAI-compatible servers on loopback, one per model, that answer with what a table says the model did."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import orjson
from aiohttp import web

from banditroute.cli.live.listing import LISTED, Listed, billed_usage
from banditroute.cli.live.rows import DemoRow, id_in
from banditroute.records import Usage

TIMES_FASTER = 25.0
"""How much faster than the real models the servers answer."""

_AT_ONCE_S = 0.001

_SILENT = logging.getLogger("banditroute.demo.servers")  # aiohttp complains of requests that it cuts off itself
_SILENT.disabled = True
_PIECES = 4
_DONE = b"data: [DONE]\n\n"


@dataclass(frozen=True, slots=True)
class Served:
    """What a server has to say: an answer of our own, the tokens that are billed for it, and how long it takes."""

    text: str
    usage: Usage
    delay_s: float


class TableServer:
    """One model's server, on 127.0.0.1 and a port that is free.

    Attributes:
        model: the one model it serves.
        base_url: where it is to be called, once it is open.
    """

    def __init__(self, model: str, rows: Mapping[str, DemoRow], listed: Listed) -> None:
        self.model = model
        self.base_url = ""
        self._rows = rows
        self._listed = listed
        self._port = 0
        self._runner: web.AppRunner | None = None

    async def open(self) -> None:
        """Listens, on the same port as before if it was open already."""
        app = web.Application()
        app.router.add_post("/v1/chat/completions", self._chat)
        # Away means away: what is under way is cut off, as when a machine fails. (To aiohttp, 0 means no limit.)
        self._runner = web.AppRunner(app, access_log=None, logger=_SILENT, shutdown_timeout=_AT_ONCE_S)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self._port).start()
        self._port = self._runner.addresses[0][1]
        self.base_url = f"http://127.0.0.1:{self._port}/v1"

    async def aclose(self) -> None:
        """Listens no more and cuts every connection; a second call does nothing."""
        if self._runner is not None:
            await self._runner.cleanup()

    async def _chat(self, request: web.Request) -> web.StreamResponse:
        body = orjson.loads(await request.read())
        if body["model"] != self.model:
            return _refusal(404, f"the model {body['model']!r} does not exist", "model_not_found")
        row = self._rows.get(id_in(str(body["messages"][-1]["content"])))
        if row is None:
            return _refusal(400, "the prompt names no row of the table", "invalid_value")
        served = _served(row, self.model, self._listed)
        if body.get("stream"):
            return await _stream(request, self.model, served)
        await asyncio.sleep(served.delay_s)
        return _json(_completion(self.model, served))


@asynccontextmanager
async def table_servers(rows: Sequence[DemoRow]) -> AsyncGenerator[list[TableServer]]:
    """A server for each of the rows' models, open; closed on leaving."""
    by_id = {row.id: row for row in rows}
    async with AsyncExitStack() as held:
        servers = [TableServer(model, by_id, LISTED[model]) for model in rows[0].outcomes]
        for server in servers:
            held.push_async_callback(server.aclose)
            await server.open()
        yield servers


def _served(row: DemoRow, model: str, listed: Listed) -> Served:
    usage = billed_usage(row.outcomes[model].cost_usd, row.input_tokens, listed.price)
    text = f"What {model} wrote to request {row.id} is not in the table; its score and its bill are."
    return Served(text, usage, usage.output_tokens / listed.tokens_per_s / TIMES_FASTER)


async def _stream(request: web.Request, model: str, served: Served) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
    await response.prepare(request)
    await response.write(_event(model, [_delta({"role": "assistant", "content": ""})]))
    for piece in _pieces(served.text):
        await asyncio.sleep(served.delay_s / _PIECES)
        await response.write(_event(model, [_delta({"content": piece})]))
    await response.write(_event(model, [_delta({}, "stop")]))
    await response.write(_event(model, [], served.usage) + _DONE)
    return response


def _pieces(text: str) -> list[str]:
    size = -(-len(text) // _PIECES)
    return [text[start : start + size] for start in range(0, len(text), size)]


def _completion(model: str, served: Served) -> dict[str, Any]:
    message = {"role": "assistant", "content": served.text}
    return {
        "id": "chatcmpl-demo",
        "object": "chat.completion",
        "model": model,
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
        "usage": _usage(served.usage),
    }


def _event(model: str, choices: list[dict[str, Any]], usage: Usage | None = None) -> bytes:
    chunk: dict[str, Any] = {
        "id": "chatcmpl-demo",
        "object": "chat.completion.chunk",
        "model": model,
        "choices": choices,
    }
    if usage is not None:
        chunk["usage"] = _usage(usage)
    return b"data: " + orjson.dumps(chunk) + b"\n\n"


def _delta(delta: dict[str, str], finish_reason: str | None = None) -> dict[str, Any]:
    return {"index": 0, "delta": delta, "finish_reason": finish_reason}


def _usage(usage: Usage) -> dict[str, int]:
    total = usage.input_tokens + usage.output_tokens
    return {"prompt_tokens": usage.input_tokens, "completion_tokens": usage.output_tokens, "total_tokens": total}


def _refusal(status: int, message: str, code: str) -> web.Response:
    return _json({"error": {"message": message, "type": "invalid_request_error", "code": code}}, status)


def _json(body: dict[str, Any], status: int = 200) -> web.Response:
    return web.Response(body=orjson.dumps(body), status=status, content_type="application/json")
