"""Every way a provider can misbehave ends in an answer or in one typed error, in time, and leaves nothing behind."""

import asyncio
import traceback
from collections.abc import AsyncIterator

import pytest

from banditroute.delivery import exchange
from banditroute.delivery.endpoint import Endpoint
from banditroute.delivery.keys import KeyRing
from banditroute.delivery.settings import Timeouts, Transport
from banditroute.errors import (
    BrokenReplyError,
    ConnectionFailedError,
    ContextOverflowError,
    CutStreamError,
    KeyRefusedError,
    OverloadedError,
    ProviderError,
    QuotaSpentError,
    RateLimitedError,
    RejectedError,
    ServerFailedError,
    TimedOutError,
)
from banditroute.providers.openai import OpenAI
from banditroute.records import ChatRequest, Completion
from banditroute.testing.faults import FAULTS
from banditroute.testing.faulty_exchange import CONTENT, DONE, ROLE, STOP, Exchange
from banditroute.testing.faulty_server import FaultyServer, closed_port

LIMITS = Timeouts(connect_s=0.5, whole_s=0.5, first_token_s=0.3, between_chunks_s=0.25, total_s=0.6)
ASK = ChatRequest(({"role": "user", "content": "What is the capital of France?"},))
ANSWER = "Paris is the capital of France."
NEVER = float("inf")

Ending = type[ProviderError] | str

# What each fault ends in: for a whole reply, and for a stream. A text is an answer; a phase says which limit passed.
ENDINGS: dict[str, tuple[Ending, Ending]] = {
    "ok": (ANSWER, ANSWER),
    "429-seconds": (RateLimitedError, RateLimitedError),
    "429-float-seconds": (RateLimitedError, RateLimitedError),
    "429-date": (RateLimitedError, RateLimitedError),
    "429-ms": (RateLimitedError, RateLimitedError),
    "429-x-ms": (RateLimitedError, RateLimitedError),
    "429-several": (RateLimitedError, RateLimitedError),
    "429-bare": (RateLimitedError, RateLimitedError),
    "insufficient-quota": (QuotaSpentError, QuotaSpentError),
    "401": (KeyRefusedError, KeyRefusedError),
    "401-quoting-key": (KeyRefusedError, KeyRefusedError),
    "403": (KeyRefusedError, KeyRefusedError),
    "500": (ServerFailedError, ServerFailedError),
    "502": (ServerFailedError, ServerFailedError),
    "503": (OverloadedError, OverloadedError),
    "529": (OverloadedError, OverloadedError),
    "400": (RejectedError, RejectedError),
    "context-overflow": (ContextOverflowError, ContextOverflowError),
    "redirect": (BrokenReplyError, BrokenReplyError),
    "garbage": (BrokenReplyError, BrokenReplyError),
    "html": (BrokenReplyError, BrokenReplyError),
    "wrong-shape": (BrokenReplyError, BrokenReplyError),
    "empty-choices": (BrokenReplyError, BrokenReplyError),
    "error-in-200": (ServerFailedError, ServerFailedError),
    "json-for-stream": (ANSWER, ANSWER),
    "hang-before-head": ("whole", "first_token"),
    "hang-after-head": ("whole", "first_token"),
    "slow-head": ("whole", "first_token"),
    "slow-body": ("whole", "first_token"),
    "stall-between-tokens": ("whole", "between_chunks"),
    "pings-forever": ("whole", "first_token"),
    "pings-after-token": ("whole", "between_chunks"),
    "close-on-request": (ConnectionFailedError, ConnectionFailedError),
    "reset-on-request": (ConnectionFailedError, ConnectionFailedError),
    "cut-before-token": (ConnectionFailedError, CutStreamError),
    "cut-after-token": (ConnectionFailedError, CutStreamError),
    "end-without-done": (ConnectionFailedError, CutStreamError),
    "error-event-before-token": (ServerFailedError, ServerFailedError),
    "error-event-after-token": (ServerFailedError, ServerFailedError),
    "oversized-body": (BrokenReplyError, BrokenReplyError),
    "oversized-length": (BrokenReplyError, BrokenReplyError),
    "invalid-utf8": (BrokenReplyError, BrokenReplyError),
    "short-body": (ConnectionFailedError, ConnectionFailedError),
    "duplicated-usage": (ANSWER, ANSWER),
    "no-content": ("", ""),
}
BROKEN_AFTER_TOKEN = {"error-event-after-token", "cut-after-token", "end-without-done", "pings-after-token"}


@pytest.fixture
async def server() -> AsyncIterator[FaultyServer]:
    async with FaultyServer() as server:
        yield server


@pytest.fixture
async def endpoint(server: FaultyServer) -> AsyncIterator[Endpoint]:
    async with connected(server) as endpoint:
        yield endpoint


def connected(server: FaultyServer, limits: Timeouts = LIMITS, **transport: object) -> Endpoint:
    keys = KeyRing([("main", "sk-secret"), ("spare", "sk-spare")])
    return Endpoint("faulty", OpenAI(), server.base_url, keys, timeouts=limits, transport=Transport(**transport))


async def chat(endpoint: Endpoint, model: str = "small", deadline: float = NEVER) -> Completion:
    return (await endpoint.chat(ASK, model=model, deadline=deadline)).completion


async def stream(endpoint: Endpoint, model: str = "small", deadline: float = NEVER) -> Completion:
    async with await endpoint.open_stream(ASK, model=model, deadline=deadline) as answer:
        text = "".join([delta.text async for delta in answer])
        assert text == answer.completion.text
        return answer.completion


ASKING = {"chat": chat, "stream": stream}


def test_every_fault_has_an_expected_ending() -> None:
    assert ENDINGS.keys() == FAULTS.keys()


@pytest.mark.parametrize("how", ASKING)
@pytest.mark.parametrize("fault", ENDINGS)
async def test_a_fault_ends_as_it_should_and_the_next_request_is_served(
    fault: str, how: str, server: FaultyServer, endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exchange, "MOST_BODY_BYTES", 2**20)
    ask, expected = ASKING[how], ENDINGS[fault][how == "stream"]
    server.script.extend([fault, fault])  # the second is for a second key or connection, where one is tried

    said = ""
    async with asyncio.timeout(3.0):
        try:
            ended: Ending = (await ask(endpoint)).text
        except TimedOutError as error:
            ended = error.phase
        except ProviderError as error:
            ended, said = type(error), f"{''.join(traceback.format_exception(error))}{error!r}{error.problem}"
    assert ended == expected
    assert "sk-" not in said
    assert endpoint.in_flight == endpoint.waiting == 0
    assert await server.settled(connections=1), "only an idle connection is left"

    server.script.clear()
    async with connected(server, Timeouts()) as fresh:
        assert (await ask(fresh)).text == ANSWER
    if endpoint.cooling_until(0.0) == 0.0:
        assert (await ask(endpoint)).text == ANSWER
    assert await server.settled(connections=1)


async def test_an_unknown_port_refuses() -> None:
    async with Endpoint("gone", OpenAI(), f"http://127.0.0.1:{closed_port()}", KeyRing()) as endpoint:
        for ask in ASKING.values():
            with pytest.raises(ConnectionFailedError, match="connect"):
                await ask(endpoint)
        assert endpoint.in_flight == 0


async def test_an_unknown_host_fails() -> None:
    async with Endpoint("gone", OpenAI(), "http://nowhere.invalid/v1", KeyRing(), timeouts=LIMITS) as endpoint:
        with pytest.raises((ConnectionFailedError, TimedOutError)):
            await chat(endpoint)


async def test_plain_http_where_tls_is_expected_fails(server: FaultyServer) -> None:
    url = server.base_url.replace("http:", "https:")
    async with Endpoint("tls", OpenAI(), url, KeyRing(), timeouts=LIMITS) as endpoint:
        with pytest.raises((ConnectionFailedError, TimedOutError)):
            await chat(endpoint)
    assert await server.settled()


async def test_a_server_that_hangs_up_on_accept_is_asked_once(server: FaultyServer, endpoint: Endpoint) -> None:
    server.hang_up_on_accept = True
    with pytest.raises(ConnectionFailedError):
        await chat(endpoint)
    assert server.connections_opened == 1


@pytest.mark.parametrize("ask", ASKING.values(), ids=ASKING)
async def test_a_connection_that_went_stale_is_replaced(ask, server: FaultyServer, endpoint: Endpoint) -> None:
    assert (await ask(endpoint)).text == ANSWER
    server.script.append("close-on-request")  # what a server does whose keep-alive ends as the request arrives
    assert (await ask(endpoint)).text == ANSWER
    assert server.requests == 3
    assert server.connections_opened == 2


@pytest.mark.parametrize("ask", ASKING.values(), ids=ASKING)
async def test_the_callers_deadline_is_honoured_and_named(ask, server: FaultyServer, endpoint: Endpoint) -> None:
    for fault in ("hang-before-head", "slow-head", "hang-after-head", "stall-between-tokens"):
        server.script.append(fault)
        with pytest.raises(TimedOutError) as caught:
            await ask(endpoint, deadline=asyncio.get_running_loop().time() + 0.05)
        assert caught.value.phase == "deadline"
    assert endpoint.in_flight == 0
    assert await server.settled()


@pytest.mark.parametrize("ask", ASKING.values(), ids=ASKING)
@pytest.mark.parametrize("fault", ["hang-before-head", "hang-after-head", "stall-between-tokens", "slow-body"])
async def test_cancelling_hangs_up(ask, fault: str, server: FaultyServer, endpoint: Endpoint) -> None:
    server.script.append(fault)
    task = asyncio.create_task(ask(endpoint))
    await until(lambda: server.busy == 1)
    await asyncio.sleep(0.03)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert endpoint.in_flight == 0
    assert await server.settled()
    assert server.hung_up_on == 1
    assert (await ask(endpoint)).text == ANSWER


async def test_a_stream_that_is_left_hangs_up(server: FaultyServer, endpoint: Endpoint) -> None:
    server.script.append("pings-after-token")
    answer = await endpoint.open_stream(ASK, model="small", deadline=NEVER)
    assert endpoint.in_flight == 1
    await answer.aclose()
    await answer.aclose()
    assert [delta async for delta in answer] == []
    assert answer.partial().text == "Paris "
    with pytest.raises(CutStreamError):
        _ = answer.completion
    assert endpoint.in_flight == 0
    assert await server.settled()


async def test_what_came_before_a_stream_broke_is_delivered(server: FaultyServer, endpoint: Endpoint) -> None:
    for fault in sorted(BROKEN_AFTER_TOKEN):
        server.script.append(fault)
        answer = await endpoint.open_stream(ASK, model="small", deadline=NEVER)
        texts: list[str] = []
        with pytest.raises(ProviderError):  # noqa: PT012 - the loop is what raises
            async for delta in answer:
                texts.append(delta.text)  # noqa: PERF401 - what came before the error is the point
        assert "".join(texts) == "Paris ", fault
        assert answer.partial().text == "Paris "


async def test_a_slow_consumer_is_not_the_providers_silence(server: FaultyServer) -> None:
    limits = Timeouts(first_token_s=1.0, between_chunks_s=0.1, total_s=10.0)

    async def paced(exchange: Exchange) -> None:
        exchange.begin_stream()
        for each in (ROLE, CONTENT[0]):
            exchange.piece(each)
        await asyncio.sleep(0.35)
        for each in (*CONTENT[1:], STOP, DONE):
            exchange.piece(each)
        exchange.end_stream()

    server.script.append(paced)
    async with connected(server, limits) as endpoint:
        answer = await endpoint.open_stream(ASK, model="small", deadline=NEVER)
        text = ""
        async for delta in answer:
            text += delta.text
            await asyncio.sleep(0.15)  # longer than the limit, twice while the server is silent
        assert text == ANSWER


async def test_closing_ends_what_is_in_flight(server: FaultyServer) -> None:
    endpoint = connected(server, Timeouts())
    server.script.extend(["hang-before-head", "hang-after-head", "stall-between-tokens", "hang-after-head"])
    tasks = [asyncio.create_task(ask(endpoint)) for ask in (chat, chat, stream, stream)]
    await until(lambda: server.busy == 4)
    await asyncio.sleep(0.03)
    await endpoint.aclose()
    await endpoint.aclose()
    async with asyncio.timeout(2.0):
        endings = await asyncio.gather(*tasks, return_exceptions=True)
    assert all(isinstance(ending, ProviderError) for ending in endings), endings
    assert endpoint.in_flight == 0
    assert await server.settled()
    with pytest.raises(ConnectionFailedError):
        await chat(endpoint)


async def until(condition) -> None:
    async with asyncio.timeout(2.0):
        while not condition():
            await asyncio.sleep(0.002)
