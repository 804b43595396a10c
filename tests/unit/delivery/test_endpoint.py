import asyncio
import math
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from banditroute.delivery.endpoint import Endpoint
from banditroute.delivery.keys import KeyRing
from banditroute.delivery.settings import Transport
from banditroute.errors import (
    ConfigError,
    KeyRefusedError,
    ProviderError,
    QuotaSpentError,
    RateLimitedError,
    ServerFailedError,
    TimedOutError,
    UnfitError,
)
from banditroute.observe import Event, KeyChanged
from banditroute.providers.anthropic import Anthropic
from banditroute.providers.openai import OpenAI
from banditroute.records import ChatRequest, EmbeddingRequest
from banditroute.testing.faulty_exchange import CONTENT, DONE, ROLE, STOP, Exchange, completion
from banditroute.testing.faulty_server import FaultyServer

NEVER = float("inf")
ASK = ChatRequest(({"role": "user", "content": "What is the capital of France?"},))
ANSWER = "Paris is the capital of France."


class Watching:
    def __init__(self) -> None:
        self.events: list[Event] = []

    def notify(self, event: Event) -> None:
        self.events.append(event)


class Clock:
    def __init__(self) -> None:
        self.now = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now


def connected(server: FaultyServer, *labels: str, **options: Any) -> Endpoint:
    keys = KeyRing([(label, f"sk-{label}") for label in labels or ("a",)])
    return Endpoint("faulty", OpenAI(), server.base_url, keys, **options)


def keys_sent(server: FaultyServer) -> list[str]:
    return [headers.get("authorization", "").removeprefix("Bearer sk-") for headers in server.headers]


async def ask(endpoint: Endpoint, model: str = "small", deadline: float = NEVER) -> str:
    return (await endpoint.chat(ASK, model=model, deadline=deadline)).completion.text


@pytest.mark.parametrize("base_url", ["", "api.example/v1", "ftp://api.example", "http://", "https://a.example/?k=1"])
def test_a_base_url_that_is_none_is_a_config_error(base_url: str) -> None:
    with pytest.raises(ConfigError, match="base_url"):
        Endpoint("bad", OpenAI(), base_url, KeyRing())


async def test_an_answer_comes_with_its_times() -> None:
    async with FaultyServer() as server, connected(server) as endpoint:
        reply = await endpoint.chat(ASK, model="small", deadline=NEVER)
        assert reply.completion.text == ANSWER
        assert reply.completion.usage is not None
        assert 0.0 < reply.duration_s < 5.0
        assert reply.ttft_s is None
        assert server.headers[0]["user-agent"].startswith("banditroute/")


async def test_a_stream_begins_with_what_led_to_its_first_content() -> None:
    async def paced(exchange: Exchange) -> None:
        exchange.begin_stream()
        for piece in (ROLE, b": ping\n\n", *CONTENT, STOP, DONE):
            exchange.piece(piece)
            await asyncio.sleep(0.005)
        exchange.end_stream()

    async with FaultyServer([paced, paced]) as server, connected(server) as endpoint:
        for _ in range(2):
            async with await endpoint.open_stream(ASK, model="small", deadline=NEVER) as stream:
                assert stream.partial().text == "Paris "
                deltas = [delta async for delta in stream]
            assert [delta.text for delta in deltas[:2]] == ["", "Paris "]
            assert stream.completion.text == ANSWER
            assert 0.0 < stream.ttft_s < stream.duration_s < 5.0
            await asyncio.sleep(0.05)  # the end of HTTP's body comes after that of the stream
        assert server.connections_opened == 1, "the connection outlives its streams"


async def test_a_whole_reply_to_a_stream_is_one_piece_with_its_tool_calls() -> None:
    call = {"id": "call_1", "type": "function", "function": {"name": "find", "arguments": "{}"}}
    message = {"role": "assistant", "content": None, "tool_calls": [call]}
    body = completion(choices=[{"index": 0, "message": message, "finish_reason": "tool_calls"}])

    async def whole(exchange: Exchange) -> None:
        exchange.reply(200, body)

    async with FaultyServer([whole]) as server, connected(server) as endpoint:
        stream = await endpoint.open_stream(ASK, model="small", deadline=NEVER)
        (delta,) = [delta async for delta in stream]
    assert delta.tool_calls == ({"index": 0, **call},)
    assert delta.finish_reason == delta.chunk["choices"][0]["finish_reason"] == "tool_calls"
    assert delta.chunk["object"] == "chat.completion.chunk"
    assert stream.completion.tool_calls == (call,)


async def test_embeddings() -> None:
    body = {"object": "list", "data": [{"index": 0, "embedding": [0.5]}], "usage": {"prompt_tokens": 3}}

    async def embed(exchange: Exchange) -> None:
        exchange.reply(200, body)

    async with FaultyServer([embed, "500"]) as server, connected(server) as endpoint:
        embeddings, duration_s = await endpoint.embed(EmbeddingRequest("text"), model="small", deadline=NEVER)
        assert embeddings.body["data"][0]["embedding"] == [0.5]
        assert duration_s > 0.0
        with pytest.raises(ServerFailedError):
            await endpoint.embed(EmbeddingRequest("text"), model="small", deadline=NEVER)
        assert endpoint.in_flight == 0


async def test_what_a_protocol_cannot_ask_costs_no_place() -> None:
    async with FaultyServer() as server, Endpoint("a", Anthropic(), server.base_url, KeyRing()) as endpoint:
        with pytest.raises(UnfitError):
            await endpoint.embed(EmbeddingRequest("text"), model="small", deadline=NEVER)
        assert (endpoint.in_flight, server.requests) == (0, 0)


@pytest.mark.parametrize("fault", ["429-seconds", "insufficient-quota", "401", "403"])
@pytest.mark.parametrize("how", ["chat", "stream"])
async def test_another_key_is_tried_at_once(fault: str, how: str) -> None:
    async with FaultyServer([fault]) as server, connected(server, "a", "b") as endpoint:
        if how == "chat":
            assert await ask(endpoint) == ANSWER
        else:
            async with await endpoint.open_stream(ASK, model="small", deadline=NEVER) as stream:
                assert "".join([delta.text async for delta in stream]) == ANSWER
        assert sorted(keys_sent(server)) == ["a", "b"]
        assert endpoint.in_flight == 0


async def test_each_key_is_tried_once_and_then_the_failure_is_told() -> None:
    async with FaultyServer(default="429-seconds") as server, connected(server, "a", "b", "c") as endpoint:
        with pytest.raises(RateLimitedError) as caught:
            await ask(endpoint)
        assert caught.value.retry_after_s == 2.0
        assert sorted(keys_sent(server)) == ["a", "b", "c"]


async def test_other_failures_do_not_touch_the_key() -> None:
    async with FaultyServer(["500"]) as server, connected(server, "a", "b") as endpoint:
        with pytest.raises(ServerFailedError):
            await ask(endpoint)
        assert server.requests == 1
        assert endpoint.cooling_until(0.0, "small") == 0.0


async def test_a_rate_limited_key_cools_for_that_model_and_then_is_back() -> None:
    clock, watching = Clock(), Watching()
    async with FaultyServer(["429-several"]) as server, connected(server, clock=clock, observer=watching) as endpoint:
        with pytest.raises(RateLimitedError):
            await ask(endpoint)
        until = clock.now + 2.0  # the latest of its three Retry-Afters
        assert endpoint.cooling_until(clock.now, "small") == until
        assert endpoint.cooling_until(clock.now, "other") == 0.0
        clock.now = until
        assert endpoint.cooling_until(clock.now, "small") == 0.0
        assert await ask(endpoint) == ANSWER
    blocked, back = watching.events
    assert isinstance(blocked, KeyChanged)
    assert (blocked.provider, blocked.key, blocked.until) == ("faulty", "a", until)
    assert back == KeyChanged("faulty", "a", "")


async def test_a_key_without_money_is_out_for_good_and_that_is_told_once() -> None:
    watching = Watching()
    async with FaultyServer(["insufficient-quota"]) as server, connected(server, observer=watching) as endpoint:
        with pytest.raises(QuotaSpentError):
            await ask(endpoint)
        assert endpoint.cooling_until(1e12) == math.inf
        with pytest.raises(KeyRefusedError, match="quota"):
            await ask(endpoint)
        assert server.requests == 1
    (event,) = watching.events
    assert isinstance(event, KeyChanged)
    assert event.until is None
    assert "quota" in event.reason


async def test_a_403_is_no_reason_to_give_the_key_up() -> None:
    async with FaultyServer(["403"]) as server, connected(server) as endpoint:
        with pytest.raises(KeyRefusedError):
            await ask(endpoint, "forbidden")
        assert await ask(endpoint, "allowed") == ANSWER


async def test_a_key_that_the_server_quotes_is_struck_out() -> None:
    watching = Watching()
    async with FaultyServer(["401-quoting-key"]) as server, connected(server, observer=watching) as endpoint:
        with pytest.raises(KeyRefusedError, match=r"provided: \*\*\*") as caught:
            await ask(endpoint)
    assert "sk-a" not in f"{caught.value!r} {caught.value.problem} {watching.events!r} {caught.value.__dict__}"


async def test_a_short_wait_for_the_only_key_is_waited_out() -> None:
    async with FaultyServer(["429-ms"]) as server, connected(server) as endpoint:
        with pytest.raises(RateLimitedError):
            await ask(endpoint)
        assert await ask(endpoint) == ANSWER
        server.script.append("429-ms")
        with pytest.raises(RateLimitedError):
            await ask(endpoint)
        with pytest.raises(RateLimitedError) as caught:
            await ask(endpoint, deadline=asyncio.get_running_loop().time() + 0.1)
        assert caught.value.retry_after_s is not None
        assert 0.0 < caught.value.retry_after_s <= 0.25
        assert server.requests == 3


async def test_the_last_of_a_limit_is_not_overrun() -> None:
    def limited(exchange: Exchange) -> Coroutine[Any, Any, None]:
        return answer(exchange, {"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "60s"})

    async def answer(exchange: Exchange, headers: dict[str, str]) -> None:
        exchange.reply(200, completion(), headers)

    async with FaultyServer([limited]) as server, connected(server) as endpoint:
        assert await ask(endpoint) == ANSWER
        with pytest.raises(RateLimitedError) as caught:
            await ask(endpoint)
        assert caught.value.retry_after_s == pytest.approx(60.0, abs=1.0)
        assert server.requests == 1


async def test_no_more_calls_are_in_flight_than_may_be() -> None:
    most = 0

    async def counting(exchange: Exchange) -> None:
        nonlocal most
        most = max(most, server.busy)
        await asyncio.sleep(0.01)
        exchange.reply(200, completion())

    way = Transport(max_concurrent=4)
    async with FaultyServer(default=counting) as server, connected(server, transport=way) as endpoint:
        assert set(await asyncio.gather(*(ask(endpoint) for _ in range(20)))) == {ANSWER}
        assert most == server.connections_opened == 4
        assert endpoint.in_flight == endpoint.waiting == 0


async def test_waiting_for_a_place_counts_toward_the_deadline() -> None:
    way = Transport(max_concurrent=1)
    async with FaultyServer(["stall-between-tokens"]) as server, connected(server, transport=way) as endpoint:
        stream = await endpoint.open_stream(ASK, model="small", deadline=NEVER)
        with pytest.raises(TimedOutError) as caught:
            await ask(endpoint, deadline=asyncio.get_running_loop().time() + 0.05)
        assert caught.value.phase == "queue"
        waiting = asyncio.create_task(ask(endpoint))
        await asyncio.sleep(0.01)
        await stream.aclose()
        assert await waiting == ANSWER


async def test_a_key_that_fails_inside_a_stream_is_noted() -> None:
    error = b'data: {"error": {"message": "Slow down.", "code": "rate_limit_exceeded"}}\n\n'

    async def limited(exchange: Exchange) -> None:
        exchange.begin_stream()
        for piece in (ROLE, CONTENT[0], error):
            exchange.piece(piece)
        exchange.end_stream()

    async with FaultyServer([limited]) as server, connected(server) as endpoint:
        stream = await endpoint.open_stream(ASK, model="small", deadline=NEVER)
        with pytest.raises(ProviderError) as caught:
            async for _ in stream:
                pass
        assert isinstance(caught.value, RateLimitedError)
        assert endpoint.cooling_until(0.0, "small") > 0.0
        assert endpoint.in_flight == 0


@pytest.mark.parametrize("fails", [lambda: asyncio.CancelledError(), lambda: KeyError("a bug")])
async def test_a_place_is_given_up_whatever_happens(
    fails: Callable[[], BaseException], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Buggy:
        def feed(self, data: bytes) -> list[Any]:
            raise fails()

        finished = False

    monkeypatch.setattr(OpenAI, "reader", lambda self: Buggy())
    async with FaultyServer() as server, connected(server) as endpoint:
        with pytest.raises(type(fails())):
            await endpoint.open_stream(ASK, model="small", deadline=NEVER)
        assert endpoint.in_flight == 0
