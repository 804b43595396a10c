"""One call of the gateway: what came in, who asks, and what its handler answers with."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from urllib.parse import quote

import orjson
from aiohttp import web
from multidict import CIMultiDict

from banditroute.gateway.auth import NEIGHBOUR, Caller
from banditroute.gateway.limits import body_of
from banditroute.gateway.refusals import refused
from banditroute.records import Json
from banditroute.router import Router

_ID_HEADER = "x-request-id"
_LONGEST_ID = 128
_JSON_TYPE = "application/json"
SERVER = "banditroute"


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much of a caller is waited for.

    Attributes:
        max_body_bytes: the longest body; body_s: how long it may take to come.
        unread_s: how long an answer may wait for its caller to read on.
    """

    max_body_bytes: int = 20 * 2**20
    body_s: float = 30.0
    unread_s: float = 60.0


@dataclass(slots=True)
class Call:
    """One request to the gateway, from its head to its answer.

    Attributes:
        request: as aiohttp has it.
        router: answers it.
        bounds: how much of the caller is waited for.
        request_id: names it in logs and to the caller.
        began: instant of the monotonic clock at which its head was there.
        caller: who asks; known once they were let in.
        decision_id, model, task, cost_usd: what came of it, for the log; empty where nothing did.
        failure: the code of what went wrong; empty where nothing did.
        headers: what every answer to it carries.
    """

    request: web.Request
    router: Router
    bounds: Bounds
    request_id: str
    began: float
    caller: Caller = NEIGHBOUR
    decision_id: str = ""
    model: str = ""
    task: str = ""
    cost_usd: float | None = None
    failure: str = ""
    headers: CIMultiDict[str] = field(default_factory=CIMultiDict)

    def __post_init__(self) -> None:
        self.headers[_ID_HEADER] = self.request_id
        self.headers["Server"] = SERVER

    @property
    def given_id(self) -> str:
        """What the caller itself calls the request; empty where the name is ours."""
        return self.request_id if self.request.headers.get(_ID_HEADER) == self.request_id else ""

    async def json(self) -> Json:
        """The body, which has to be a JSON object.

        Raises:
            RefusedError: it is none, is too long, or takes too long to come.
        """
        data = await body_of(self.request, self.bounds.max_body_bytes, self.bounds.body_s)
        try:
            body = orjson.loads(data)
        except orjson.JSONDecodeError as error:
            raise refused(400, f"the body is not JSON: {error}", "invalid_json") from None
        if not isinstance(body, dict):
            raise refused(400, "the body is not a JSON object", "invalid_json")
        return body

    def answer(self, body: object, status: int = 200) -> web.Response:
        """A whole answer, as JSON."""
        return self.answer_bytes(orjson.dumps(body), status)

    def answer_bytes(self, body: bytes, status: int = 200, content_type: str = _JSON_TYPE) -> web.Response:
        """A whole answer."""
        self.headers["Content-Type"] = content_type
        return web.Response(body=body, status=status, headers=self.headers)


Handler = Callable[[Call], Awaitable[web.StreamResponse]]
"""Answers a call; what it raises of the library's own errors becomes the error body of the caller's protocol."""


def request_id_of(request: web.Request) -> str:
    """The name that the caller gives its request, where it is one that a log can hold; else a new one."""
    given = request.headers.get(_ID_HEADER)
    if given and len(given) <= _LONGEST_ID and given.isascii() and given.isprintable():
        return given
    return os.urandom(16).hex()


def header_text(text: str) -> str:
    """A text as a header can carry it: names are the callers' own, and may hold anything."""
    return text if text.isascii() and text.isprintable() else quote(text)
