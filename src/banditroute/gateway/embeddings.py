"""POST /v1/embeddings, of a model by name, in the encoding that the caller asks for."""

from __future__ import annotations

from aiohttp import web

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
    terms = terms_of(_as_embedding(body), call.caller, call.router.catalog)
    if terms.model == AUTO:
        raise refused(400, "embeddings need a model by name: vectors of two never mix", "model_required", field="model")
    request = EmbeddingRequest(body.get("input"), without_terms(body, "model", "input"))
    embedded = await call.router.serve_embeddings(request, terms)
    tell_embedded(call, embedded)
    return call.answer({**embedded.embeddings.body, "model": embedded.model})


def _as_embedding(body: Json) -> Json:
    """The body with its task named: that of every embedding."""
    options = body.get(FIELD)
    return {**body, FIELD: {**options, "task": EMBEDDINGS}} if isinstance(options, dict) else body
