"""POST /v1/messages and /v1/messages/count_tokens, in Anthropic's words whoever serves."""

from __future__ import annotations

from aiohttp import web

from banditroute.gateway.anthropic.asked import check_limit, message_request, stop_sequences
from banditroute.gateway.anthropic.events import MessageEvents
from banditroute.gateway.anthropic.replies import message_body
from banditroute.gateway.asking import terms_of
from banditroute.gateway.calls import Call
from banditroute.gateway.chat import streams
from banditroute.gateway.refusals import refused
from banditroute.gateway.streams import relay
from banditroute.gateway.told import tell_answer
from banditroute.providers.anthropic import VERSIONS
from banditroute.records import Json
from banditroute.routing.requests import input_tokens

_VERSION = "anthropic-version"
_MEANINGFUL = (_VERSION, "anthropic-beta")


async def messages(call: Call) -> web.StreamResponse:
    """Answers a messages request, whole or in events."""
    body = await _body(call)
    check_limit(body)
    stops = stop_sequences(body)
    terms = terms_of(body, call.caller, call.router.catalog, call.given_id)
    request = message_request(body, _headers(call))
    if streams(body):
        return await relay(call, call.router.serve_stream(request, terms), MessageEvents(stops))
    answer = await call.router.serve(request, terms)
    tell_answer(call, answer)
    return call.answer(message_body(answer, stops))


async def count_tokens(call: Call) -> web.StreamResponse:
    """About how long a prompt is, as the router counts it for budgets and context windows: an estimate."""
    body = await _body(call)
    terms_of(body, call.caller, call.router.catalog)
    return call.answer({"input_tokens": input_tokens(message_request(body))})


async def _body(call: Call) -> Json:
    call.headers["request-id"] = call.request_id  # where Anthropic's clients look for it
    version = call.request.headers.get(_VERSION, VERSIONS[0])
    if version not in VERSIONS:
        problem = f"{_VERSION}: {version[:40]!r} is not known; use {' or '.join(VERSIONS)}"
        raise refused(400, problem, "invalid_version")
    return await call.json()


def _headers(call: Call) -> dict[str, str]:
    """The headers that say what the body means."""
    given = call.request.headers
    headers = {name: ",".join(given.getall(name)) for name in _MEANINGFUL if name in given}
    for name, value in headers.items():
        if not value.isascii():
            raise refused(400, f"{name}: expected ASCII", "invalid_value")
    return headers
