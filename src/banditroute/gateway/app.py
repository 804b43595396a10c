"""The gateway as an aiohttp application: what is served where, over a router that is open."""

from __future__ import annotations

from collections.abc import Iterable

from aiohttp import web

from banditroute.config.values import GatewayConfig
from banditroute.gateway.access_log import Log
from banditroute.gateway.anthropic.errors import anthropic_error, anthropic_status
from banditroute.gateway.anthropic.messages import count_tokens, messages
from banditroute.gateway.auth import Doorkeeper
from banditroute.gateway.calls import Bounds, Call, Handler
from banditroute.gateway.chat import chat
from banditroute.gateway.decisions import decision
from banditroute.gateway.embeddings import embeddings
from banditroute.gateway.feedback import feedback
from banditroute.gateway.front import Front, Route
from banditroute.gateway.health import live, ready_while
from banditroute.gateway.limits import Gate
from banditroute.gateway.models import model, models
from banditroute.gateway.patience import Patience
from banditroute.gateway.refusals import refused
from banditroute.gateway.responses import responses
from banditroute.router import Router

ROUTES: tuple[Route, ...] = (
    Route("POST", "/v1/chat/completions", chat, working=True),
    Route("POST", "/v1/messages", messages, working=True, errors=anthropic_error, status=anthropic_status),
    Route("POST", "/v1/messages/count_tokens", count_tokens, errors=anthropic_error, status=anthropic_status),
    Route("POST", "/v1/responses", responses, working=True),
    Route("POST", "/v1/embeddings", embeddings, working=True),
    Route("GET", "/v1/models", models),
    Route("GET", "/v1/models/{name:.+}", model),
    Route("POST", "/v1/feedback", feedback),
    Route("GET", "/v1/decisions/{decision_id}", decision),
    Route("GET", "/health/live", live, access="open"),
)
"""What is served but for what needs the front itself."""

FRONT = web.AppKey("front", Front)


def front_of(router: Router, config: GatewayConfig, doorkeeper: Doorkeeper, log: Log) -> Front:
    """The front that a configuration asks for."""
    return Front(
        router,
        doorkeeper,
        Gate(config.max_in_work),
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
    every = (*routes, Route("GET", "/health/ready", ready_while(front), access="open"))
    for route in every:
        app.router.add_route(route.method, route.path, front.serving(route))
    nowhere = Route("*", "/{path:.*}", _nowhere(every), access="open")
    app.router.add_route(nowhere.method, nowhere.path, front.serving(nowhere))
    return app


def _nowhere(routes: Iterable[Route]) -> Handler:
    """Answers what is asked where nothing is served, in the body that clients expect of an error."""
    methods: dict[str, list[str]] = {}
    for route in routes:
        methods.setdefault(route.path, []).append(route.method)

    async def nowhere(call: Call) -> web.StreamResponse:
        path, known = call.request.path, methods.get(call.request.path)
        if known is not None:
            call.headers["Allow"] = ", ".join(known)
            raise refused(405, f"{path} takes {', '.join(known)}", "method_not_allowed")
        raise refused(404, f"nothing is served at {path[:200]}", "not_found")

    return nowhere
