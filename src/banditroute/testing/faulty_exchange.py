"""What a fault has in hand: one request, and the bare connection to answer it on."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import orjson

TOKENS = ("Paris ", "is ", "the ", "capital ", "of ", "France.")
USAGE = {"prompt_tokens": 18, "completion_tokens": len(TOKENS), "total_tokens": 18 + len(TOKENS)}

_MOST_UNSENT_BYTES = 2**20
_NAMES = {"id": "chatcmpl-faulty", "created": 1_700_000_000, "model": "faulty"}
_NOTHING: Mapping[str, str] = {}


class Exchange:
    """One request and the connection that it came on.

    Attributes:
        headers: the request's, names in lower case; what is asked for is ":path".
        body: the request's.
        stream: whether it asks for a stream.
    """

    def __init__(self, transport: asyncio.Transport, headers: Mapping[str, str], body: Mapping[str, Any]) -> None:
        self._transport = transport
        self.headers = headers
        self.body = body
        self.stream = bool(body.get("stream"))

    def send(self, data: bytes) -> None:
        """Sends bytes as they are."""
        self._transport.write(data)

    async def send_slowly(self, data: bytes, every_s: float = 0.02) -> None:
        """Sends one byte after another."""
        for byte in data:
            self.send(bytes([byte]))
            await asyncio.sleep(every_s)

    async def send_endlessly(self, data: bytes, every_s: float = 0.0) -> None:
        """Sends the same again and again, as fast as the client takes it or at a pace, until the client hangs up."""
        while True:
            if self._transport.get_write_buffer_size() < _MOST_UNSENT_BYTES:
                self.send(data)
            await asyncio.sleep(every_s)

    async def hang(self) -> None:
        """Does nothing until the client hangs up."""
        await asyncio.Event().wait()

    def hang_up(self) -> None:
        """Closes the connection once what was sent is out."""
        self._transport.close()

    def reset(self) -> None:
        """Closes the connection at once, without a goodbye."""
        self._transport.abort()

    def reply(self, status: int, body: bytes | Mapping[str, Any], headers: Mapping[str, str] = _NOTHING) -> None:
        """Sends a whole reply."""
        data = body if isinstance(body, bytes) else orjson.dumps(body)
        self.send(head(status, {"content-type": "application/json", "content-length": str(len(data)), **headers}))
        self.send(data)

    def begin_stream(self) -> None:
        """Sends the head of a stream; what follows goes out in `piece`s, until `end_stream`."""
        self.send(head(200, {"content-type": "text/event-stream", "transfer-encoding": "chunked"}))

    def piece(self, data: bytes) -> None:
        """Sends bytes as one chunk of the body."""
        self.send(b"%x\r\n%b\r\n" % (len(data), data))

    def end_stream(self) -> None:
        """Ends the body."""
        self.send(b"0\r\n\r\n")


def head(status: int, headers: Mapping[str, str]) -> bytes:
    """A reply's head."""
    lines = [f"HTTP/1.1 {status} Status", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


def completion(**changes: object) -> dict[str, Any]:
    """A chat completion, with fields changed."""
    message = {"role": "assistant", "content": "".join(TOKENS)}
    choices = [{"index": 0, "message": message, "finish_reason": "stop"}]
    return {**_NAMES, "object": "chat.completion", "choices": choices, "usage": USAGE, **changes}


def frame(delta: Mapping[str, Any], finish_reason: str | None = None) -> bytes:
    """A frame of a stream that carries one delta."""
    return data_frame(chunk(choices=[{"index": 0, "delta": delta, "finish_reason": finish_reason}]))


def chunk(**fields: object) -> dict[str, Any]:
    """A `chat.completion.chunk`."""
    return {**_NAMES, "object": "chat.completion.chunk", **fields}


def data_frame(payload: Mapping[str, Any]) -> bytes:
    """A frame of a stream that carries a JSON object."""
    return b"data: " + orjson.dumps(payload) + b"\n\n"


ROLE = frame({"role": "assistant", "content": ""})
CONTENT = tuple(frame({"content": token}) for token in TOKENS)
STOP = frame({}, "stop")
USAGE_FRAME = data_frame(chunk(choices=[], usage=USAGE))
DONE = b"data: [DONE]\n\n"
