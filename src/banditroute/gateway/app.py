"""The gateway as an aiohttp application: what is served where, over a router that is open."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from aiohttp import web

from banditroute.config.values import GatewayConfig
from banditroute.gateway.access_log import Log
from banditroute.gateway.anthropic.errors import anthropic_error, anthropic_status
from banditroute.gateway.anthropic.messages import count_tokens, messages
from banditroute.gateway.asking import OPTIONS
from banditroute.gateway.auth import Doorkeeper
from banditroute.gateway.calls import Bounds, Call
from banditroute.gateway.chat import chat
from banditroute.gateway.decisions import decision
from banditroute.gateway.embeddings import embeddings
from banditroute.gateway.feedback import feedback
from banditroute.gateway.front import Front, Route
from banditroute.gateway.health import live, ready_while
from banditroute.gateway.limits import Gate, Turnstile
from banditroute.gateway.models import model, models
from banditroute.gateway.openapi.document import PATH, openapi
from banditroute.gateway.patience import Patience
from banditroute.gateway.refusals import refused
from banditroute.gateway.response_request import FIELDS
from banditroute.gateway.responses import responses
from banditroute.gateway.workers.crew import Crew
from banditroute.router import Router


async def _nowhere(call: Call) -> web.StreamResponse:
    """Answers what is asked where nothing is served, in the body that clients expect of an error."""
    raise refused(404, f"nothing is served at {call.request.path[:200]}", "not_found")


_MESSAGES = Route(
    "POST",
    "/v1/messages",
    messages,
    working=True,
    errors=anthropic_error,
    status=anthropic_status,
    fields=OPTIONS,
)
_NOWHERE = Route("*", "/{path:(?s:.*)}", _nowhere, access="open")
ROUTES: tuple[Route, ...] = (
    Route("POST", "/v1/chat/completions", chat, working=True, fields=OPTIONS),
    _MESSAGES,
    replace(_MESSAGES, path="/v1/messages/count_tokens", handler=count_tokens, working=False),
    replace(_MESSAGES, method="*", path="/v1/messages/{path:(?s:.*)}", handler=_nowhere, access="open", working=False),
    Route("POST", "/v1/responses", responses, working=True, fields={**OPTIONS, **FIELDS}),
    Route("POST", "/v1/embeddings", embeddings, working=True, fields={**OPTIONS, "messages": "input"}),
    Route("GET", "/v1/models", models),
    Route("GET", "/v1/models/{name:(?s:.+)}", model),
    Route("POST", "/v1/feedback", feedback),
    Route("GET", "/v1/decisions/{decision_id}", decision),
    Route("GET", "/health/live", live, access="open"),
    Route("GET", PATH, openapi, access="open"),
)
"""What is served but for what needs the front itself."""

FRONT = web.AppKey("front", Front)


def front_of(
    router: Router, config: GatewayConfig, doorkeeper: Doorkeeper, log: Log, crew: Crew | None = None
) -> Front:
    """The front that a configuration asks for; of one worker where there are several."""
    crew = Crew() if crew is None else crew
    return Front(
        router,
        doorkeeper,
        Gate(crew.part(config.max_in_work)),
        Turnstile(crew.dues),
        Patience(config.head_s),
        Bounds(config.max_body_bytes, config.body_s, config.unread_s),
        log,
    )


def application(front: Front, routes: Iterable[Route] = ROUTES, *, most_bytes: int = 20 * 2**20) -> web.Application:
    """The application; serving and closing it is its owner's, and so is the router.

    Args:
        front: stands before every handler.
        routes: what is served.
        most_bytes: the longest body.
    """
    app = web.Application(client_max_size=most_bytes)
    app[FRONT] = front
    places: dict[str, list[Route]] = {}
    for route in (*routes, Route("GET", "/health/ready", ready_while(front), access="open"), _NOWHERE):
        places.setdefault(route.path, []).append(route)
    for path, there in places.items():
        resource = app.router.add_resource(path)
        for route in (*there, *_otherwise(there)):
            resource.add_route(route.method, front.serving(route))
    return app


def _otherwise(there: Sequence[Route]) -> Iterable[Route]:
    """What answers other methods than those that are served at a path."""
    methods = [route.method for route in there]
    if "*" in methods:
        return

    async def wrong(call: Call) -> web.StreamResponse:
        call.headers["Allow"] = ", ".join(methods)
        problem = f"{call.request.path[:200]} takes {', '.join(methods)}"
        raise refused(405, problem, "method_not_allowed")

    yield replace(there[0], method="*", handler=wrong, access="open", working=False)
