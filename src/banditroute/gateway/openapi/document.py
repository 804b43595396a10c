"""The OpenAPI document, and GET /openapi.json, which serves it to everybody: it holds nothing of the router."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any

import orjson
from aiohttp import web

from banditroute._version import __version__
from banditroute.gateway.calls import Call
from banditroute.gateway.openapi.answers import reference, responses
from banditroute.gateway.openapi.operations import JSON, OPERATIONS, Operation
from banditroute.records import Json

PATH = "/openapi.json"
_OPENAPI = "3.1.0"
_ABOUT = "Routes each LLM call to the model worth its money, under dollar budgets that hold."
_TAGS = {
    "openai": "OpenAI's protocol, whoever serves.",
    "anthropic": "Anthropic's protocol, whoever serves.",
    "router": "Why a model was chosen, and how good it was.",
    "operation": "For whoever runs the gateway.",
}
_BY_KEY: list[Json] = [{"bearer": []}, {"apiKey": []}]


async def openapi(call: Call) -> web.StreamResponse:
    """Returns the document."""
    return call.answer_bytes(_written())


@cache
def document() -> Json:
    """The document, of OpenAPI 3.1."""
    paths: dict[str, dict[str, Json]] = {}
    for operation in OPERATIONS:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _described(operation)
    return {
        "openapi": _OPENAPI,
        "info": {"title": "banditroute", "version": __version__, "description": _ABOUT},
        "tags": [{"name": name, "description": about} for name, about in _TAGS.items()],
        "paths": paths,
        "components": _components(),
    }


@cache
def _written() -> bytes:
    return orjson.dumps(document())


def _described(operation: Operation) -> Json:
    said: dict[str, Any] = {"operationId": operation.name, "summary": operation.says, "tags": [operation.tag]}
    if operation.parameters:
        said["parameters"] = [reference(name, "parameters") for name in operation.parameters]
    if operation.asks:
        said["requestBody"] = {"required": True, "content": {JSON: {"schema": reference(operation.asks)}}}
    return {**said, "responses": responses(operation), "security": [] if operation.access == "open" else _BY_KEY}


def _components() -> Json:
    schemas: dict[str, Json] = {}
    for name in ("openai", "anthropic", "shared"):
        schemas.update(_file(name))
    return {**_file("components"), "schemas": schemas}


def _file(name: str) -> dict[str, Any]:
    return orjson.loads((files("banditroute.gateway.openapi") / "schemas" / f"{name}.json").read_bytes())
