"""POST /v1/embeddings, of a model by name, in the encoding that the caller asks for."""

from __future__ import annotations

from aiohttp import web

from banditroute.errors import InvalidRequestError
from banditroute.gateway.asking import FIELD, terms_of, without_terms
from banditroute.gateway.calls import Call
from banditroute.gateway.refusals import refused
from banditroute.gateway.told import tell_embedded
from banditroute.records import EmbeddingRequest, Json
from banditroute.routing.catalog import AUTO
from banditroute.routing.tasks import EMBEDDINGS


async def embeddings(call: Call) -> web.StreamResponse:
    """Embeds."""
    body = await call.json()
    terms = terms_of(_as_embedding(body), call.caller, call.router.catalog, call.given_id)
    if terms.model == AUTO:
        raise refused(400, "embeddings need a model by name: vectors of two never mix", "model_required", field="model")
    request = EmbeddingRequest(_input(body), without_terms(body, "model", "input"))
    embedded = await call.router.serve_embeddings(request, terms)
    tell_embedded(call, embedded)
    return call.answer({**embedded.embeddings.body, "model": embedded.model})


def _input(body: Json) -> object:
    given: object = body.get("input")
    if not isinstance(given, str | list):
        raise InvalidRequestError("expected a text or a list", field="input")
    return given


def _as_embedding(body: Json) -> Json:
    """The body with its task named: that of every embedding; a task that is no text is left to be refused."""
    options = body.get(FIELD)
    if not isinstance(options, dict) or not isinstance(options.get("task", ""), str | None):
        return body
    return {**body, FIELD: {**options, "task": EMBEDDINGS}}
