"""Requests that the gateway's OpenAPI document allows, and those that it does not, made by schemathesis; and checks."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from functools import cache
from typing import Any

import jsonschema_rs
import orjson
import schemathesis
from hypothesis.strategies import SearchStrategy
from schemathesis.config import SchemathesisConfig
from schemathesis.generation.modes import GenerationMode
from schemathesis.schemas import APIOperation
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from banditroute.gateway.openapi.document import document

CHECKS = [
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
]
ENDLESS = frozenset({"/dashboard/events"})
CONTROLS = "/dashboard/api/"
MODELS = ["small", "claude"]
OWN_LIMIT = "deadline_exceeded"
"""The only failure that a request can ask for: a time limit that nobody keeps."""
COUNTING = "/v1/messages/count_tokens"
RANGES = frozenset({"minimum", "exclusiveMinimum"})
"""Of the limits in a request's options: the router's to check, whom nobody asks who has tokens counted."""
OF_SHAPE = frozenset({"invalid_json", "invalid_value"})
SAID_OTHERWISE = ("no message", "anthropic-", "nested", "not valid Unicode")
"""Of what the document's schemas of bodies have no words for: among it a conversation in which nobody says anything."""


def operations() -> Iterator[APIOperation[Any, Any, Any, Any]]:
    """Every operation that comes to an end and changes nobody else's answers; models are those that there are."""
    schema = schemathesis.openapi.from_dict(narrowed(), config=SchemathesisConfig())
    for found in schema.get_all_operations():
        operation = found.ok()
        if operation.path not in ENDLESS and not operation.path.startswith(CONTROLS):
            yield operation


def narrowed() -> dict[str, Any]:
    """The document where names are those of the catalog, and features none, as the configuration has it."""
    told = copy.deepcopy(orjson.loads(orjson.dumps(document())))
    schemas = told["components"]["schemas"]
    schemas["ModelName"] = {"enum": [None, "auto", "auto:qa", "auto:", "small", "claude"]}
    schemas["CatalogName"] = {"enum": MODELS}
    schemas["Options"]["properties"]["features"] = {"type": "null"}
    schemas["EmbeddingsRequest"]["properties"]["model"] = {"const": "vectors"}
    return told


def cases(operation: APIOperation[Any, Any, Any, Any], *, allowed: bool) -> SearchStrategy[Any]:
    """Requests that the document allows, or such that it does not."""
    return operation.as_strategy(GenerationMode.POSITIVE if allowed else GenerationMode.NEGATIVE)


def check(case: Any, response: Any) -> None:
    """Raises where the gateway does otherwise than its document says."""
    case.validate_response(response, checks=CHECKS)
    problem = _problem(response)
    assert response.status_code < 500 or (problem or ("",))[0] == OWN_LIMIT, (problem, response.request.body)
    if not case.operation.body:
        return
    sent = response.request.body
    sent = sent.encode() if isinstance(sent, str) else sent
    if _allows(case.operation.path, sent, narrow=True):
        code, message = problem or ("", "")
        told = code in OF_SHAPE and not any(words in message for words in SAID_OTHERWISE)
        assert not told, f"the document allows it, the gateway does not: {code}: {message}: {sent!r}"
    elif not _allows(case.operation.path, sent, narrow=False):
        assert problem is not None, f"the document does not allow it, the gateway does: {sent!r}"


def _allows(path: str, sent: bytes | None, *, narrow: bool) -> bool:
    """Whether the document allows a body, whatever the names in it, or with those of the catalog."""
    try:
        return _validator(path, narrow).is_valid(orjson.loads(sent or b""))
    except orjson.JSONDecodeError:
        return False


@cache
def _validator(path: str, narrow: bool) -> jsonschema_rs.Validator:
    told = narrowed() if narrow else orjson.loads(orjson.dumps(document()))
    if path == COUNTING and not narrow:
        options = told["components"]["schemas"]["Options"]["properties"]
        options.update({name: {key: of[key] for key in of.keys() - RANGES} for name, of in options.items()})
    content = told["paths"][path]["post"]["requestBody"]["content"]["application/json"]
    schema = {**content["schema"], "components": told["components"]}
    return jsonschema_rs.Draft202012Validator(schema)


def _problem(response: Any) -> tuple[str, str] | None:
    if response.status_code < 400:
        return None
    error = orjson.loads(response.content)["error"]
    return error["code"], error["message"]
