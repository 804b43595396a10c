"""An httpx transport over an embedded router: OpenAI clients talk to it without a socket.

Requests to /v1/chat/completions and /v1/embeddings are answered in the words of the gateway, errors and headers
included, by a router of the same event loop. There are no keys: who has the transport has the router.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, cast

try:
    import httpx
except ImportError as error:
    raise ImportError("banditroute.adapters.httpx needs httpx; run: pip install httpx") from error
import orjson

from banditroute.errors import BanditrouteError
from banditroute.gateway.asking import terms_of, without_terms
from banditroute.gateway.auth import NEIGHBOUR
from banditroute.gateway.chat import completion_body, streams
from banditroute.gateway.chunks import Chunks
from banditroute.gateway.refusals import refused
from banditroute.gateway.wire_errors import error_headers, openai_error, refusal_of
from banditroute.records import Delta, EmbeddingRequest, Json
from banditroute.routed_stream import RoutedStream
from banditroute.router import Router
from banditroute.routing.requests import chat_request

BASE_URL = "http://banditroute.invalid/v1"
"""What clients may take for its address; nothing is ever sent there."""

_JSON = {"content-type": "application/json"}


class RouterTransport(httpx.AsyncBaseTransport):
    """Answers requests by a router; give it to `httpx.AsyncClient(transport=...)`.

    Args:
        router: open, and used on the event loop of whoever sends.
    """

    def __init__(self, router: Router) -> None:
        self._router = router

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """The router's answer; a refusal is one too."""
        try:
            return await self._answer(request.method, request.url.path.rpartition("/v1")[2], request)
        except BanditrouteError as error:
            refusal = refusal_of(error)
            return _response(refusal.status, openai_error(refusal), error_headers(refusal))

    async def _answer(self, method: str, path: str, request: httpx.Request) -> httpx.Response:
        if (method, path) == ("POST", "/chat/completions"):
            return await self._chat(_body(await request.aread()), request.headers.get("x-request-id", ""))
        if (method, path) == ("POST", "/embeddings"):
            return await self._embeddings(_body(await request.aread()))
        raise refused(404, f"{method} {path} is not served without a gateway", "not_found")

    async def _chat(self, body: Json, request_id: str) -> httpx.Response:
        terms = terms_of(body, NEIGHBOUR, self._router.catalog, request_id)
        request = chat_request(body.get("messages"), without_terms(body, "model", "messages", "stream"))
        if not streams(body):
            answer = await self._router.serve(request, terms)
            return _response(200, completion_body(answer), {_DECISION: answer.decision_id, _MODEL: answer.model})
        options: Any = body.get("stream_options") or {}
        stream = self._router.serve_stream(request, terms)
        await stream.__aenter__()
        try:
            first = await anext(stream, None)
        except BaseException:
            await stream.aclose()
            raise
        events = _Events(stream, first, with_usage=bool(options.get("include_usage")))
        headers = {"content-type": "text/event-stream", _DECISION: stream.decision_id, _MODEL: stream.model or ""}
        return httpx.Response(200, headers=headers, stream=events)

    async def _embeddings(self, body: Json) -> httpx.Response:
        terms = terms_of(body, NEIGHBOUR, self._router.catalog)
        request = EmbeddingRequest(body.get("input"), without_terms(body, "model", "input"))
        embedded = await self._router.serve_embeddings(request, terms)
        told = {_DECISION: embedded.decision_id, _MODEL: embedded.model}
        return _response(200, {**embedded.embeddings.body, "model": embedded.model}, told)


class _Events(httpx.AsyncByteStream):
    """A stream as server-sent events; closed before its end, it hangs up on the model."""

    def __init__(self, stream: RoutedStream, first: Delta | None, *, with_usage: bool) -> None:
        self._stream = stream
        self._first = first
        self._chunks = Chunks(with_usage=with_usage)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        self._chunks.begin(self._stream.decision, self._stream.model or self._stream.decision.chosen)
        try:
            if self._first is not None:
                yield self._chunks.piece(self._first)
            async for delta in self._stream:
                yield self._chunks.piece(delta)
            yield self._chunks.end(self._stream.answer)
        except BanditrouteError as error:
            yield self._chunks.failure(refusal_of(error))

    async def aclose(self) -> None:
        await self._stream.aclose()


_DECISION, _MODEL = "x-banditroute-decision-id", "x-banditroute-model"


def _body(data: bytes) -> Json:
    try:
        body = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise refused(400, f"the body is not JSON: {error}", "invalid_json") from None
    if not isinstance(body, dict):
        raise refused(400, "the body is not a JSON object", "invalid_json")
    return cast("Json", body)


def _response(status: int, body: object, headers: dict[str, str]) -> httpx.Response:
    return httpx.Response(status, headers={**_JSON, **headers}, content=orjson.dumps(body))
