"""The demo's model servers, asked over HTTP."""

import asyncio
import math
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from banditroute.cli.live.listing import LISTED
from banditroute.cli.live.rows import DemoRow, prompt_of, shipped_rows
from banditroute.cli.live.servers import TableServer, table_servers
from banditroute.delivery.endpoint import Endpoint
from banditroute.delivery.keys import KeyRing
from banditroute.errors import ConnectionFailedError, ProviderError
from banditroute.providers.openai import OpenAI
from banditroute.records import ChatRequest

ROWS = [row for row in shipped_rows() if row.outcomes["gemini-2.5-pro"].cost_usd < 0.01][:50]  # quick answers


@pytest.fixture
async def servers() -> AsyncIterator[list[TableServer]]:
    async with table_servers(ROWS) as opened:
        yield opened


@pytest.fixture
async def endpoints(servers: list[TableServer]) -> AsyncIterator[dict[str, Endpoint]]:
    lives = {server.model: Endpoint(server.model, OpenAI(), server.base_url, KeyRing()) for server in servers}
    yield lives
    for live in lives.values():
        await live.aclose()


def asking(row: DemoRow) -> ChatRequest:
    return ChatRequest(({"role": "user", "content": prompt_of(row)},))


async def test_every_model_bills_what_the_table_says(endpoints: dict[str, Endpoint]) -> None:
    async def bill(row: DemoRow, model: str) -> float:
        reply = await endpoints[model].chat(asking(row), model=model, deadline=math.inf)
        assert row.id in reply.completion.text
        assert reply.completion.usage is not None
        return LISTED[model].price.cost_usd(reply.completion.usage)

    pairs = [(row, model) for row in ROWS for model in row.outcomes]
    bills = await asyncio.gather(*(bill(row, model) for row, model in pairs))
    assert bills == pytest.approx([row.outcomes[model].cost_usd for row, model in pairs], rel=1e-12)


async def test_a_stream_brings_the_same_in_pieces(endpoints: dict[str, Endpoint]) -> None:
    row, model = ROWS[0], "mistral-large-2512"
    whole = (await endpoints[model].chat(asking(row), model=model, deadline=math.inf)).completion
    async with await endpoints[model].open_stream(asking(row), model=model, deadline=math.inf) as stream:
        pieces = [delta.text async for delta in stream if delta.text]
        streamed = stream.completion
    assert len(pieces) > 1
    assert "".join(pieces) == streamed.text == whole.text
    assert streamed.usage == whole.usage


@pytest.mark.parametrize(
    ("model", "prompt", "status"),
    [("gemini-2.5-pro", prompt_of(ROWS[0]), 404), ("llama-3.1-8b-instruct", "Hello.", 400)],
)
async def test_what_it_does_not_know_it_refuses(
    servers: list[TableServer], model: str, prompt: str, status: int
) -> None:
    url = f"{servers[0].base_url}/chat/completions"
    body: dict[str, Any] = {"model": model, "messages": [{"role": "user", "content": prompt}]}
    async with aiohttp.ClientSession() as session, session.post(url, json=body) as response:
        assert response.status == status
        assert (await response.json())["error"]["message"]


async def test_a_server_that_is_away_cuts_what_is_under_way_and_comes_back_where_it_was(
    servers: list[TableServer], endpoints: dict[str, Endpoint]
) -> None:
    server = servers[-1]
    live, address = endpoints[server.model], server.base_url
    dearest = max(ROWS, key=lambda row: row.outcomes[server.model].cost_usd)
    under_way = asyncio.create_task(live.chat(asking(dearest), model=server.model, deadline=math.inf))
    await asyncio.sleep(0.05)
    await server.aclose()
    with pytest.raises(ProviderError):
        await under_way
    with pytest.raises(ConnectionFailedError):
        await live.chat(asking(dearest), model=server.model, deadline=math.inf)
    await server.open()
    assert server.base_url == address
    assert (await live.chat(asking(ROWS[0]), model=server.model, deadline=math.inf)).completion.text
