"""The openai SDK over an embedded router, no socket between them; and LangChain and pydantic-ai, where installed."""

from importlib.util import find_spec

import pytest
from openai import AsyncOpenAI, BadRequestError, InternalServerError, NotFoundError

from banditroute.testing.faulty_exchange import TOKENS

httpx = pytest.importorskip("httpx")

from banditroute.adapters.httpx import BASE_URL, RouterTransport  # noqa: E402 - it needs httpx

HELLO = [{"role": "user", "content": "hello"}]
TEXT = "".join(TOKENS)


@pytest.fixture
async def web(lab):
    """An httpx client of a router, and both."""
    router = await lab.router({"small": await lab.server()}, retry={"rounds": 0})
    async with httpx.AsyncClient(transport=RouterTransport(router)) as client:
        yield router, client


@pytest.fixture
def client(web):
    return AsyncOpenAI(base_url=BASE_URL, api_key="none", http_client=web[1], max_retries=0)


async def test_an_answer_comes_with_its_decision(web, client):
    router, _ = web
    options = {"banditroute": {"task": "qa", "request_id": "r"}}
    raw = await client.chat.completions.with_raw_response.create(model="auto", messages=HELLO, extra_body=options)
    answer = raw.parse()
    assert (answer.choices[0].message.content, answer.model) == (TEXT, "small")
    decision = (await router.explain(raw.headers["x-banditroute-decision-id"])).decision
    assert decision.context.task == "qa"
    assert await router.feedback(request_id="r", quality=1.0)


async def test_a_stream_comes_in_pieces_and_leaving_it_hangs_up(web, client, lab):
    usage = {"include_usage": True}
    stream = await client.chat.completions.create(model="auto", messages=HELLO, stream=True, stream_options=usage)
    chunks = [chunk async for chunk in stream]
    assert "".join(choice.delta.content or "" for chunk in chunks for choice in chunk.choices) == TEXT
    assert chunks[-1].usage.total_tokens == 24
    lab.servers[0].default = "stall-between-tokens"
    async with await client.chat.completions.create(model="auto", messages=HELLO, stream=True) as left:
        await anext(left)
    await lab.at_rest(web[0])


async def test_errors_are_the_gateways(web, client, lab):
    with pytest.raises(NotFoundError, match="no model is named"):
        await client.chat.completions.create(model="absent", messages=HELLO)
    with pytest.raises(BadRequestError):
        await client.chat.completions.create(model="auto", messages=[])
    with pytest.raises(NotFoundError, match="not served"):
        await client.models.list()
    lab.servers[0].default = "500"
    for stream in (False, True):
        with pytest.raises(InternalServerError) as failed:
            await client.chat.completions.create(model="auto", messages=HELLO, stream=stream)
        assert failed.value.response.headers["x-banditroute-decision-id"]
    await lab.at_rest(web[0])


@pytest.mark.skipif(find_spec("langchain_openai") is None, reason="langchain-openai is not installed")
async def test_langchain(web):
    from langchain_openai import ChatOpenAI

    model = ChatOpenAI(model="auto", base_url=BASE_URL, api_key="none", http_async_client=web[1], max_retries=0)
    assert (await model.ainvoke("hello")).content == TEXT
    assert "".join([chunk.content async for chunk in model.astream("hello")]) == TEXT


@pytest.mark.skipif(find_spec("pydantic_ai") is None, reason="pydantic-ai-slim is not installed")
async def test_pydantic_ai(client):
    from pydantic_ai import Agent
    from pydantic_ai.models.openai import OpenAIChatModel
    from pydantic_ai.providers.openai import OpenAIProvider

    agent = Agent(OpenAIChatModel("auto", provider=OpenAIProvider(openai_client=client)))
    assert (await agent.run("hello")).output == TEXT
