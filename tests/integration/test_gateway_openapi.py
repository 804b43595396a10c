"""The OpenAPI document says what the application serves: all of it, and nothing else."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import aiohttp
import jsonschema
import orjson
import pytest
from openapi_spec_validator import validate
from yarl import URL

from banditroute._version import __version__
from banditroute.gateway import serve
from banditroute.gateway.anthropic.errors import anthropic_error, anthropic_status
from banditroute.gateway.dashboard.controls import MARK
from banditroute.gateway.front import Route
from banditroute.gateway.health import live
from banditroute.gateway.openapi.document import document
from banditroute.gateway.openapi.operations import OPERATIONS
from banditroute.gateway.refusals import Refusal
from banditroute.gateway.wire_errors import openai_error
from banditroute.providers.anthropic import VERSIONS

TOLD = orjson.loads(orjson.dumps(document()))
SCHEMAS = TOLD["components"]["schemas"]
CHAT = {"messages": [{"role": "user", "content": "hello"}]}
UNTITLED = {"role": "user", "content": [{"type": "document", "title": 5, "source": {"type": "text"}}]}


@pytest.fixture
def seen(monkeypatch):
    """Routes and the application of a gateway that is made after this."""
    found, make = {}, serve.application

    def application(front, routes, **settings):
        found["routes"] = tuple(routes)
        found["app"] = make(front, found["routes"], **settings)
        return found["app"]

    monkeypatch.setattr(serve, "application", application)
    return found


def written(path):
    """A path of aiohttp's as OpenAPI writes it."""
    return re.sub(r"\{(\w+)(:[^}]*)?\}", r"{\1}", path)


def places(app):
    """Every method and path of an application, but for what answers where nothing is served."""
    for resource in app.router.resources():
        for route in resource:
            if route.method != "*":
                yield route.method, written(resource.canonical)


def valid(instance, name):
    schema = {"$ref": f"#/components/schemas/{name}", "components": TOLD["components"]}
    jsonschema.Draft202012Validator(schema).validate(instance)


def test_it_is_an_openapi_document():
    validate(TOLD)
    assert (TOLD["openapi"], TOLD["info"]["version"]) == ("3.1.0", __version__)
    assert len({operation.name for operation in OPERATIONS}) == len(OPERATIONS)


def test_the_command_prints_it():
    done = subprocess.run([sys.executable, "-m", "banditroute", "openapi"], capture_output=True, timeout=60, check=True)
    assert orjson.loads(done.stdout) == TOLD
    assert done.stderr == b""


async def test_every_place_of_a_gateway_is_in_it_and_no_other(lab, seen):
    gateway = await lab.gateway({"small": await lab.server()})
    told = {(method.upper(), path) for path, there in TOLD["paths"].items() for method in there}
    assert told == set(places(seen["app"]))
    async with aiohttp.ClientSession() as session, session.get(f"{gateway.url}/openapi.json") as response:
        assert (response.status, response.content_type) == (200, "application/json")
        assert await response.json() == TOLD


async def test_it_says_of_each_what_its_route_says(lab, seen):
    await lab.gateway({"small": await lab.server()})
    routes = {(route.method, written(route.path)): route for route in seen["routes"]}
    ready = Route("GET", "/health/ready", live, access="open")  # needs the front itself, which makes it
    for operation in OPERATIONS:
        route = routes.get((operation.method, operation.path), ready)
        assert route.path.startswith(operation.path.partition("{")[0])
        said = (operation.access, operation.working, operation.anthropic)
        assert said == (route.access, route.working, route.errors is anthropic_error), operation.path
        security = TOLD["paths"][operation.path][operation.method.lower()]["security"]
        assert bool(security) == (route.access != "open")


def test_names_that_stand_elsewhere_are_the_same_here():
    parameters = TOLD["components"]["parameters"]
    assert parameters["AnthropicVersion"]["schema"]["enum"] == list(VERSIONS)
    assert parameters["DashboardMark"]["name"] == MARK


def test_a_judgement_is_of_one_decision_or_one_name():
    valid({"request_id": "r", "session_id": None, "quality": 1}, "FeedbackRequest")
    two = {"decision_id": "d", "request_id": "r"}
    for names in ({}, two, {"request_id": ""}, {"request_id": "", "session_id": "s"}):
        with pytest.raises(jsonschema.ValidationError):
            valid({**names, "quality": 1}, "FeedbackRequest")


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 405, 408, 409, 413, 422, 429, 500, 502, 503, 504])
@pytest.mark.parametrize("field", [None, "messages"])
def test_every_refusal_has_the_shape_that_it_says(status, field):
    refusal = Refusal(status, "a problem", "a_code", field, 1.0, decision_id="01ARZ3NDEKTSV4RRFFQ69G5FAV")
    valid(openai_error(refusal), "OpenAIError")
    valid(anthropic_error(refusal), "AnthropicError")
    wide = {"400", "402", "405", "409", "422"}
    for operation in OPERATIONS:
        told = anthropic_status(refusal) if operation.anthropic else status
        responses = TOLD["paths"][operation.path][operation.method.lower()]["responses"]
        assert not operation.working or str(told) in responses or (str(told) in wide and "4XX" in responses)


async def test_requests_and_answers_of_a_conversation_are_as_it_says(lab):
    gateway = await lab.gateway({"small": await lab.server()})

    async def asked(session, method, path, body=None):
        async with session.request(method, gateway.url + path, json=body) as response:
            return await response.json(), response.headers

    async with aiohttp.ClientSession() as session:
        answer, headers = await asked(session, "POST", "/v1/chat/completions", CHAT)
        decision_id = headers["x-banditroute-decision-id"]
        judged = {"decision_id": decision_id, "signal": {"kind": "stars", "given": 4}}
        recorded, _ = await asked(session, "POST", "/v1/feedback", judged)
        why, _ = await asked(session, "GET", f"/v1/decisions/{decision_id}")
        models, _ = await asked(session, "GET", "/v1/models")
        snapshot, _ = await asked(session, "GET", "/dashboard/snapshot")
    for instance, name in (
        (CHAT, "ChatRequest"),
        (answer, "ChatCompletion"),
        (judged, "FeedbackRequest"),
        (recorded, "Recorded"),
        (why, "Decision"),
        (models, "ModelList"),
        (snapshot, "Snapshot"),
    ):
        valid(instance, name)
    assert set(why) == set(SCHEMAS["Decision"]["properties"])
    told = {name for name in headers if name.lower().startswith("x-banditroute")}
    response = TOLD["paths"]["/v1/chat/completions"]["post"]["responses"]["200"]
    assert {name.lower() for name in told} <= {name.lower() for name in response["headers"]}


async def test_the_errors_that_the_docs_show_are_real(lab):
    page = (Path(__file__).parents[2] / "docs" / "gateway-api.md").read_text(encoding="utf-8")
    hello = [{"role": "user", "content": "Hello"}]
    shown = re.search(r"^wrong = (\{.*?^\})", page, re.MULTILINE | re.DOTALL)[1]
    wrong = ast.literal_eval(shown.replace(": hello", f": {hello}"))
    gateway = await lab.gateway({"small": await lab.server()})
    async with aiohttp.ClientSession(gateway.url) as session:
        for path, body in wrong.items():
            async with session.post(path, json=body) as response:
                assert f"| {response.status} `{await response.text()}` |" in page
    assert page.count(" `{") == len(wrong)


@pytest.mark.parametrize("path", ["/v1/models/a%0Ab", "/v1/messages/a%0Ab", "/a%0Ab"])
async def test_a_line_end_in_a_path_is_refused_like_any_other(lab, path):
    gateway = await lab.gateway({"small": await lab.server()})
    async with aiohttp.ClientSession() as session, session.get(URL(gateway.url + path, encoded=True)) as response:
        assert response.status == 404
        error = await response.json()
    valid(error, "AnthropicError" if "messages" in path else "OpenAIError")


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("/v1/chat/completions", {**CHAT, "max_completion_tokens": 0}, "max_completion_tokens"),
        ("/v1/chat/completions", {**CHAT, "max_tokens": 0, "max_completion_tokens": 5}, "max_tokens"),
        ("/v1/chat/completions", {**CHAT, "stream_options": 5}, "stream_options"),
        ("/v1/chat/completions", {**CHAT, "banditroute": {"timeout_s": 0}}, "banditroute.timeout_s"),
        ("/v1/responses", {"input": "x", "max_output_tokens": 0}, "max_output_tokens"),
        ("/v1/responses", {"input": "x", "background": 1}, "background"),
        ("/v1/embeddings", {"model": "small", "input": 5}, "input"),
        ("/v1/embeddings", {"model": "small", "input": "x" * 99_000}, "input"),
        ("/v1/embeddings", {"model": "small", "input": "x", "banditroute": {"task": 5}}, "banditroute.task"),
        ("/v1/messages", {**CHAT, "max_tokens": 5, "tools": 0}, "tools"),
        ("/v1/messages", {**CHAT, "max_tokens": 5, "stop_sequences": 0}, "stop_sequences"),
        ("/v1/messages", {**CHAT, "max_tokens": 5, "metadata": {"user_id": 0}}, "metadata.user_id"),
        ("/v1/messages", {**CHAT, "max_tokens": "5"}, "max_tokens"),
        ("/v1/messages/count_tokens", {"messages": [UNTITLED]}, "messages[0].content[0].title"),
        ("/v1/messages", {**CHAT, "max_tokens": 5, "banditroute": {"max_cost_usd": -1}}, "banditroute.max_cost_usd"),
        ("/v1/feedback", {"decision_id": "x", "signal": {"kind": "thumb"}}, "signal.up"),
        ("/v1/feedback", {"decision_id": "x", "signal": {"kind": "stars", "given": 9}}, "signal"),
        ("/v1/feedback", {"decision_id": "x", "quality": 2}, "quality"),
        ("/v1/feedback", {"decision_id": "x", "quality": 1, "source": 5}, "source"),
    ],
)
async def test_errors_name_the_field_as_the_caller_wrote_it(lab, path, body, field):
    server = lab.served(await lab.server(), context_window=4000)
    gateway = await lab.gateway({"small": server})
    async with aiohttp.ClientSession() as session, session.post(gateway.url + path, json=body) as response:
        error = (await response.json())["error"]
    assert response.status in (400, 422)
    assert error.get("field", error.get("param")) == field
