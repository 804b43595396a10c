"""Every way that a provider is known to misbehave, by name.

A fault that only a stream can have does the nearest thing to a whole reply: where a stream stalls or is cut between
tokens, a whole reply stalls or is cut inside its body.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import orjson

from banditroute.testing.faulty_exchange import (
    CONTENT,
    DONE,
    ROLE,
    STOP,
    USAGE_FRAME,
    Exchange,
    completion,
    data_frame,
    frame,
    head,
)

Fault = Callable[[Exchange], Coroutine[Any, Any, None]]
"""Answers one request, or does not."""

_OVERSIZE_BYTES = 2**40
_PAD = b"x" * 2**16
_JSON = {"content-type": "application/json"}
_ERROR = {"error": {"message": "The server had an error.", "type": "server_error", "param": None, "code": None}}


async def ok(exchange: Exchange) -> None:
    """A good answer, with usage."""
    if not exchange.stream:
        return exchange.reply(200, completion())
    _stream(exchange, ROLE, *CONTENT, STOP, USAGE_FRAME, DONE)
    return exchange.end_stream()


def lists(models: Sequence[str]) -> Fault:
    """A good answer to who asks which models there are, with the time of day."""

    async def listed(exchange: Exchange) -> None:
        data = [{"id": model, "object": "model", "created": 1_700_000_000, "owned_by": "faulty"} for model in models]
        now = format_datetime(datetime.now(UTC), usegmt=True)
        exchange.reply(200, {"object": "list", "data": data}, {"date": now})

    return listed


async def hang_before_head(exchange: Exchange) -> None:
    """Nothing comes back."""
    await exchange.hang()


async def hang_after_head(exchange: Exchange) -> None:
    """A head, then nothing."""
    _open(exchange)
    await exchange.hang()


async def slow_head(exchange: Exchange) -> None:
    """The head drips in, a byte at a time, for minutes."""
    await exchange.send_slowly(head(200, {**_JSON, "x-padding": "x" * 4096, "content-length": "2"}) + b"{}")


async def slow_body(exchange: Exchange) -> None:
    """The body drips in, a byte at a time, for minutes."""
    if exchange.stream:
        exchange.send(head(200, {"content-type": "text/event-stream"}))
        await exchange.send_slowly(b": " + _PAD)
    else:
        body = orjson.dumps(completion(padding="x" * 4096))
        exchange.send(head(200, {**_JSON, "content-length": str(len(body))}))
        await exchange.send_slowly(body)


async def stall_between_tokens(exchange: Exchange) -> None:
    """It begins well and stops."""
    _begin_answer(exchange)
    await exchange.hang()


async def pings_forever(exchange: Exchange) -> None:
    """Signs of life, and no answer."""
    _open(exchange)
    if exchange.stream:
        exchange.piece(ROLE)
    await _ping(exchange)


async def pings_after_token(exchange: Exchange) -> None:
    """It begins well, and then gives only signs of life."""
    _begin_answer(exchange)
    await _ping(exchange)


async def close_on_request(exchange: Exchange) -> None:
    """It hangs up on every request."""
    exchange.hang_up()


async def reset_on_request(exchange: Exchange) -> None:
    """It resets the connection on every request."""
    exchange.reset()


async def cut_before_token(exchange: Exchange) -> None:
    """It hangs up after the head, and in a stream after the role."""
    _open(exchange)
    if exchange.stream:
        exchange.piece(ROLE)
    exchange.hang_up()


async def cut_after_token(exchange: Exchange) -> None:
    """It begins well and hangs up."""
    _begin_answer(exchange)
    exchange.hang_up()


async def end_without_done(exchange: Exchange) -> None:
    """A stream that ends as HTTP has it, but in the middle of the answer."""
    if not exchange.stream:
        return await cut_after_token(exchange)
    _begin_answer(exchange)
    return exchange.end_stream()


async def error_event_before_token(exchange: Exchange) -> None:
    """A stream that begins with an error."""
    if not exchange.stream:
        return exchange.reply(200, _ERROR)
    _stream(exchange, ROLE, data_frame(_ERROR))
    return exchange.end_stream()


async def error_event_after_token(exchange: Exchange) -> None:
    """A stream that turns into an error."""
    if not exchange.stream:
        return exchange.reply(200, _ERROR)
    _begin_answer(exchange)
    exchange.piece(data_frame(_ERROR))
    return exchange.end_stream()


async def json_for_stream(exchange: Exchange) -> None:
    """A good answer, whole though a stream was asked for."""
    exchange.reply(200, completion())


async def oversized_body(exchange: Exchange) -> None:
    """A body that never ends."""
    if exchange.stream:
        exchange.send(head(200, {"content-type": "text/event-stream"}) + b"data: ")
    else:
        exchange.send(head(200, {**_JSON, "connection": "close"}))
    await exchange.send_endlessly(_PAD)


async def oversized_length(exchange: Exchange) -> None:
    """A length that nobody could hold."""
    exchange.send(head(200, {**_JSON, "content-length": str(_OVERSIZE_BYTES)}))
    await exchange.hang()


async def invalid_utf8(exchange: Exchange) -> None:
    """Bytes that are no text inside an answer that is fine otherwise."""
    if not exchange.stream:
        return exchange.reply(200, orjson.dumps(completion()).replace(b"Paris", b"P\xff\xferis"))
    _stream(exchange, ROLE, CONTENT[0].replace(b"Paris", b"P\xff\xferis"), *CONTENT[1:], STOP, DONE)
    return exchange.end_stream()


async def short_body(exchange: Exchange) -> None:
    """A body shorter than its length says, then the end of the connection."""
    body = orjson.dumps(completion())
    exchange.send(head(200, {**_JSON, "content-length": str(len(body) + 10)}) + body)
    exchange.hang_up()


async def duplicated_usage(exchange: Exchange) -> None:
    """A good answer that tells its usage twice."""
    if not exchange.stream:
        return exchange.reply(200, completion())
    _stream(exchange, ROLE, *CONTENT, STOP, USAGE_FRAME, USAGE_FRAME, DONE)
    return exchange.end_stream()


async def no_content(exchange: Exchange) -> None:
    """A good answer that is empty."""
    if not exchange.stream:
        message = {"role": "assistant", "content": ""}
        return exchange.reply(200, completion(choices=[{"index": 0, "message": message, "finish_reason": "stop"}]))
    _stream(exchange, ROLE, STOP, USAGE_FRAME, DONE)
    return exchange.end_stream()


async def quoted_key(exchange: Exchange) -> None:
    """A refusal of the key that quotes it."""
    key = exchange.headers.get("authorization", "").removeprefix("Bearer ")
    exchange.reply(401, _error(f"Incorrect API key provided: {key}.", code="invalid_api_key"))


async def _rate_limited_until_date(exchange: Exchange) -> None:
    date = format_datetime(datetime.now(UTC) + timedelta(seconds=2), usegmt=True)
    await _rate_limited(**{"retry-after": date})(exchange)


def _error(message: str, code: str | None = None, kind: str = "invalid_request_error") -> dict[str, Any]:
    return {"error": {"message": message, "type": kind, "param": None, "code": code}}


def _replies(status: int, body: bytes | Mapping[str, Any], **headers: str) -> Fault:
    async def fault(exchange: Exchange) -> None:
        exchange.reply(status, body, headers)

    return fault


def _rate_limited(**headers: str) -> Fault:
    return _replies(429, _error("Rate limit reached.", "rate_limit_exceeded", "requests"), **headers)


def _open(exchange: Exchange) -> None:
    if exchange.stream:
        exchange.begin_stream()
    else:
        exchange.send(head(200, {**_JSON, "transfer-encoding": "chunked"}))


def _begin_answer(exchange: Exchange) -> None:
    _open(exchange)
    for piece in (ROLE, CONTENT[0]) if exchange.stream else (b'{"id": "chatcmpl-faulty", "choices": [',):
        exchange.piece(piece)


def _stream(exchange: Exchange, *frames: bytes) -> None:
    exchange.begin_stream()
    for each in frames:
        exchange.piece(each)


async def _ping(exchange: Exchange) -> None:
    signs = b": ping\n\n" + frame({"content": ""}) if exchange.stream else b"\n"
    await exchange.send_endlessly(b"%x\r\n%b\r\n" % (len(signs), signs), every_s=0.02)


FAULTS: Mapping[str, Fault] = {
    "ok": ok,
    "429-seconds": _rate_limited(**{"retry-after": "2"}),
    "429-float-seconds": _rate_limited(**{"retry-after": "0.25"}),
    "429-date": _rate_limited_until_date,
    "429-ms": _rate_limited(**{"retry-after-ms": "250"}),
    "429-x-ms": _rate_limited(**{"x-ms-retry-after-ms": "250"}),
    "429-several": _rate_limited(**{"retry-after-ms": "250", "retry-after": "2", "x-ms-retry-after-ms": "500"}),
    "429-bare": _rate_limited(),
    "insufficient-quota": _replies(429, _error("You exceeded your current quota.", "insufficient_quota", "billing")),
    "401": _replies(401, _error("Incorrect API key provided.", "invalid_api_key")),
    "401-quoting-key": quoted_key,
    "403": _replies(403, _error("This key may not use the model.", kind="permission_error")),
    "500": _replies(500, _ERROR),
    "502": _replies(502, b"<html>Bad Gateway</html>", **{"content-type": "text/html"}),
    "503": _replies(503, _ERROR),
    "529": _replies(529, _error("Overloaded", kind="overloaded_error")),
    "400": _replies(400, _error("Invalid value for 'messages'.")),
    "context-overflow": _replies(400, _error("Maximum context length exceeded.", "context_length_exceeded")),
    "redirect": _replies(307, b"", location="http://127.0.0.1:9/elsewhere"),
    "garbage": _replies(200, b"\x00\x01not json at all"),
    "html": _replies(200, b"<html>Log in to the hotel's network</html>", **{"content-type": "text/html"}),
    "wrong-shape": _replies(200, {"answer": 42}),
    "empty-choices": _replies(200, completion(choices=[])),
    "error-in-200": _replies(200, _ERROR),
    "json-for-stream": json_for_stream,
    "hang-before-head": hang_before_head,
    "hang-after-head": hang_after_head,
    "slow-head": slow_head,
    "slow-body": slow_body,
    "stall-between-tokens": stall_between_tokens,
    "pings-forever": pings_forever,
    "pings-after-token": pings_after_token,
    "close-on-request": close_on_request,
    "reset-on-request": reset_on_request,
    "cut-before-token": cut_before_token,
    "cut-after-token": cut_after_token,
    "end-without-done": end_without_done,
    "error-event-before-token": error_event_before_token,
    "error-event-after-token": error_event_after_token,
    "oversized-body": oversized_body,
    "oversized-length": oversized_length,
    "invalid-utf8": invalid_utf8,
    "short-body": short_body,
    "duplicated-usage": duplicated_usage,
    "no-content": no_content,
}
