"""Whatever a body holds, the gateway answers it or says what is wrong with it: nothing is a defect."""

import asyncio
import http.client
import json
import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from banditroute.config import load_config
from banditroute.gateway.serve import Place, gateway
from banditroute.testing.faulty_server import FaultyServer

CONFIG = """
[[providers]]
name = "host"
kind = "openai"
base_url = "{url}"
[[models]]
name = "small"
provider = "host"
input_usd_per_mtok = 1.0
output_usd_per_mtok = 2.0
context_window = 4000
[[models]]
name = "plain"
provider = "other"
input_usd_per_mtok = 1.0
output_usd_per_mtok = 2.0
max_output_tokens = 100
[[providers]]
name = "other"
kind = "anthropic"
base_url = "{url}"
[store]
kind = "memory"
[retry]
rounds = 0
[breaker]
consecutive = 1000
window = 1000
[gateway]
auth = "none"
"""
SCALARS = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8)
)
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)
PART = st.fixed_dictionaries({}, optional={"type": JSON, "text": JSON, "image_url": JSON, "file": JSON})
ROLE = st.sampled_from(["system", "user", "assistant", "tool", "function", "developer"])
MESSAGE = st.fixed_dictionaries(
    {"role": ROLE},
    optional={
        "content": st.text(max_size=20) | st.lists(PART, max_size=3) | JSON,
        "tool_calls": JSON | st.lists(st.fixed_dictionaries({"function": JSON, "id": JSON}), max_size=2),
        "tool_call_id": JSON,
        "name": JSON,
        "function_call": JSON,
    },
)
TERMS = ("task", "session_id", "tenant", "max_cost_usd", "max_latency_s", "timeout_s", "features", "allowed")
OPTIONS = st.fixed_dictionaries({}, optional=dict.fromkeys(TERMS, JSON))
BODY = st.fixed_dictionaries(
    {},
    optional={
        "model": st.sampled_from(["auto", "auto:qa", "auto:", "small", "plain"]) | JSON,
        "messages": st.lists(MESSAGE, max_size=3) | JSON,
        "input": JSON,
        "stream": st.booleans() | JSON,
        "stream_options": JSON,
        "max_tokens": JSON,
        "n": JSON,
        "tools": JSON | st.lists(st.fixed_dictionaries({"type": JSON, "function": JSON}), max_size=2),
        "tool_choice": JSON,
        "response_format": JSON,
        "stop": JSON,
        "metadata": JSON,
        "temperature": JSON,
        "reasoning_effort": JSON,
        "encoding_format": JSON,
        "banditroute": OPTIONS | JSON,
        "decision_id": JSON,
        "quality": JSON,
        "signal": JSON | st.fixed_dictionaries({"kind": st.sampled_from(["thumb", "stars", "edited"]), "up": JSON}),
        "source": JSON,
    },
)


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """Where a gateway listens, in a thread of its own."""
    started, found = threading.Event(), []
    folder = tmp_path_factory.mktemp("gateway")

    async def serve() -> None:
        ended = asyncio.Event()
        async with FaultyServer() as server:
            path = folder / "router.toml"
            path.write_text(CONFIG.format(url=server.base_url), encoding="utf-8")
            async with gateway(load_config(path), Place(port=0), {}) as serving:
                found.extend((serving.url.removeprefix("http://"), asyncio.get_running_loop(), ended))
                started.set()
                await ended.wait()

    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    assert started.wait(20)
    yield found[0]
    found[1].call_soon_threadsafe(found[2].set)
    thread.join(20)


@pytest.fixture(scope="module")
def connection(address):
    made = http.client.HTTPConnection(address, timeout=20)
    yield made
    made.close()


@settings(max_examples=200)
@given(path=st.sampled_from(["chat/completions", "embeddings", "feedback"]), body=BODY | JSON)
def test_no_body_is_a_defect(connection, path, body):
    connection.request("POST", f"/v1/{path}", json.dumps(body), {"Content-Type": "application/json"})
    response = connection.getresponse()
    answer = response.read()
    # What the loopback server says is no Anthropic message, which is its fault and not the gateway's.
    assert response.status < 500 or b"upstream_error" in answer, answer
    if response.status >= 400:
        assert json.loads(answer)["error"]["message"]


@given(path=st.sampled_from(["chat/completions", "embeddings", "feedback"]), body=st.binary(max_size=64))
def test_no_bytes_are_a_defect(connection, path, body):
    connection.request("POST", f"/v1/{path}", body)
    response = connection.getresponse()
    answer = response.read()
    assert 400 <= response.status < 500, answer
