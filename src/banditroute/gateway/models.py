"""GET /v1/models: auto, auto for each task class, and the catalog, as far as the key may ask for them."""

from __future__ import annotations

from collections.abc import Iterator

from aiohttp import web

from banditroute.gateway.auth import Caller
from banditroute.gateway.calls import Call
from banditroute.gateway.refusals import refused
from banditroute.records import Json
from banditroute.router import Router
from banditroute.routing.catalog import AUTO
from banditroute.routing.tasks import is_chosen_on

_OWNER = "banditroute"


async def models(call: Call) -> web.StreamResponse:
    """Lists the models."""
    data = list(_listed(call.router, call.caller))
    ends = {"first_id": data[0]["id"], "last_id": data[-1]["id"]} if data else {}
    return call.answer({"object": "list", "data": data, "has_more": False, **ends})


async def model(call: Call) -> web.StreamResponse:
    """One model by its name.

    Raises:
        RefusedError: there is none of that name.
    """
    name = call.request.match_info["name"]
    for each in _listed(call.router, call.caller):
        if each["id"] == name:
            return call.answer(each)
    raise refused(404, f"no model is named {name!r}", "model_not_found", field="model")


def _listed(router: Router, caller: Caller) -> Iterator[Json]:
    if len(caller.tasks) <= 1:  # who may name several tasks has to
        yield _entry(AUTO, _OWNER)
    for task in router.learner.decider.tasks:
        if is_chosen_on(task) and (not caller.tasks or task in caller.tasks):
            yield _entry(f"{AUTO}:{task}", _OWNER)
    for each in router.catalog:
        if not caller.models or each.name in caller.models:
            yield _entry(each.name, each.provider)


def _entry(name: str, owner: str) -> Json:
    """A model in the words of OpenAI's list, and of Anthropic's."""
    openais = {"id": name, "object": "model", "created": 0, "owned_by": owner}
    return {**openais, "type": "model", "display_name": name, "created_at": "1970-01-01T00:00:00Z"}
