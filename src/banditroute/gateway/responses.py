"""POST /v1/responses, of models whose provider speaks OpenAI: asked and answered in the caller's own words."""

from __future__ import annotations

from typing import Any

import orjson
from aiohttp import web

from banditroute.gateway.asking import terms_of
from banditroute.gateway.calls import Call
from banditroute.gateway.chat import streams
from banditroute.gateway.refusals import Refusal
from banditroute.gateway.response_request import responses_request
from banditroute.gateway.streams import relay
from banditroute.gateway.told import tell_answer
from banditroute.providers.reading import mapping
from banditroute.records import Answer, Decision, Delta, Json
from banditroute.routing.catalog import AUTO


async def responses(call: Call) -> web.StreamResponse:
    """Answers a Responses request, whole or in events."""
    body = await call.json()
    terms = terms_of(body, call.caller, call.router.catalog, call.given_id)
    request = responses_request(body, pinned=terms.model != AUTO)
    if streams(body):
        return await relay(call, call.router.serve_stream(request, terms), ResponseEvents())
    answer = await call.router.serve(request, terms)
    tell_answer(call, answer)
    return call.answer({**(answer.completion.native or {}), "model": answer.model})


class ResponseEvents:
    """Passes one stream's events on, but for the name of the model."""

    def __init__(self) -> None:
        self._model = ""
        self._passed = 0

    def begin(self, decision: Decision, model: str) -> None:  # noqa: ARG002 - the provider's events name themselves
        """Takes note of who answers."""
        self._model = model

    def piece(self, delta: Delta) -> bytes:
        """The events of a piece."""
        return b"".join(self._event(_as_event(each)) for each in delta.native)

    def end(self, answer: Answer) -> bytes:  # noqa: ARG002 - the provider's last event says it all
        """Nothing more."""
        return b""

    def failure(self, refusal: Refusal) -> bytes:
        """The last event of a stream that broke off."""
        error = {"type": "error", "code": refusal.code, "message": refusal.problem, "param": refusal.field}
        return self._event({**error, "sequence_number": self._passed})

    def _event(self, body: Json) -> bytes:
        self._passed += 1
        told: dict[str, Any] = dict(body)
        if "response" in told:
            told["response"] = {**mapping(told["response"]), "model": self._model}
        return b"event: %b\ndata: %b\n\n" % (str(body.get("type")).encode(), orjson.dumps(told))


def _as_event(native: Json) -> Json:
    """An event; the last one for a server that answered whole, whatever it was asked."""
    if native.get("object") != "response":
        return native
    return {"type": f"response.{native.get('status', 'completed')}", "response": native, "sequence_number": 0}
