"""A model that goes down and comes back: all is answered, hardly anything asks it meanwhile, and it is used again."""

import asyncio
import time

import pytest
from yarl import URL

from banditroute.delivery.exchange import Wire
from banditroute.delivery.pool import ClientPool
from banditroute.delivery.settings import Transport
from banditroute.observe import BreakerChanged
from banditroute.testing.faulty_server import FaultyServer, closed_port

QUALITY = {"main": 0.9, "spare": 0.6, "dear": 0.9}
PACE = {"usd_per_request": 4e-5}
LONG = {"open_s": 60.0, "most_open_s": 60.0}  # longer than the test: only an answered knock ends it
FAILURES = {"refused": None, "503": "503", "hangs": "hang-before-head"}


@pytest.mark.parametrize("fault", FAILURES.values(), ids=FAILURES)
async def test_every_request_is_answered_and_the_model_is_used_again_once_it_is_back(lab, fault):
    servers = {name: await lab.server() for name in QUALITY}
    dear = lab.served(servers["dear"], input_usd_per_mtok=10.0, output_usd_per_mtok=20.0)
    router = await lab.router(
        {**servers, "dear": dear}, budgets=[PACE], breaker={**LONG, "knock_s": 0.05}, routing={"classifier": "none"}
    )
    await served_by(router, 40)
    before = await served_by(router, 40)
    assert before.count("main") > 20

    await fail(servers["main"], fault)
    assert "main" not in (await served_by(router, 20))[-5:]
    assert lab.events.of(BreakerChanged)[0].state == "open"
    asked = servers["main"].requests
    assert "main" not in await served_by(router, 60)
    assert servers["main"].requests == asked, "requests find out what knocks are for"

    await mend(servers["main"])
    await back(router, "main")
    after = await served_by(router, 40)
    assert after.count("main") >= 0.8 * before.count("main")
    await lab.at_rest(router)


async def test_where_only_the_model_fails_probes_find_out(lab):
    async def failing(exchange):
        exchange.reply(503, {"error": {"message": "down"}})

    servers = {"main": await lab.server(failing), "spare": await lab.server()}  # its knocks are answered
    breaker = {"consecutive": 2, "open_s": 0.2, "most_open_s": 60.0, "knock_s": 0.05}
    router = await lab.router(servers, breaker=breaker)
    await served_by(router, 20)
    assert servers["main"].knocks >= 1
    servers["main"].default = "ok"
    await back(router, "main")
    assert "main" in await served_by(router, 40)
    knocks = servers["main"].knocks
    await asyncio.sleep(0.2)
    assert servers["main"].knocks == knocks, "it is well: nobody knocks"


async def test_a_router_that_closes_stops_knocking_and_another_configuration_goes_on(lab):
    dead, good = await lab.server("503"), await lab.server()
    models, sections = {"dead": dead, "good": good}, {"breaker": {**LONG, "knock_s": 0.02}}
    router = await lab.router(models, **sections)
    while not lab.events.of(BreakerChanged):
        await router.chat("hello")
    await router.reload(lab.write({**models, "more": good}, **sections))
    before = dead.knocks
    async with asyncio.timeout(5.0):
        while dead.knocks < before + 3:
            await asyncio.sleep(0.01)
    await router.aclose()
    after = dead.knocks
    await asyncio.sleep(0.1)
    assert dead.knocks == after


@pytest.mark.parametrize(
    ("fault", "there"),
    [("ok", True), ("401", True), ("429-bare", True), ("500", False), ("503", False), ("hang-before-head", False)],
)
async def test_whatever_a_server_says_it_is_there_unless_it_says_that_it_failed(fault, there):
    async with ClientPool() as pool, FaultyServer(default=fault) as server:
        wire = Wire(pool.client(URL(server.base_url), Transport()), URL(server.base_url), 1.0)
        assert await wire.answers(2.0 if there else 0.2) is there
        assert (server.knocks, server.requests) == (1, 0)


async def test_nobody_is_at_a_port_that_is_closed():
    url = URL(f"http://127.0.0.1:{closed_port()}/v1")
    async with ClientPool() as pool:
        assert await Wire(pool.client(url, Transport()), url, 1.0).answers(1.0) is False


async def test_a_knock_shows_no_key(lab):
    heads: list[bytes] = []

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append(await reader.readuntil(b"\r\n\r\n"))
        writer.close()

    server = await asyncio.start_server(listen, "127.0.0.1", 0)
    async with server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
        models = {"dead": lab.served(url), "good": await lab.server()}
        router = await lab.router(models, breaker={"consecutive": 1, **LONG, "knock_s": 0.05})
        async with asyncio.timeout(5.0):
            while not any(head.startswith(b"GET /v1/models ") for head in heads):
                await router.chat("hello")
                await asyncio.sleep(0.01)
        await router.aclose()
    assert any(b"sk-main" in head for head in heads if head.startswith(b"POST"))
    assert not any(b"sk-main" in head for head in heads if head.startswith(b"GET"))


async def served_by(router, requests):
    """Who answers so many requests, four at once; each is judged at once."""
    models = []

    async def work():
        for _ in range(requests // 4):
            answer = await router.chat("hello", task="qa")
            await router.feedback(answer.decision_id, quality=QUALITY[answer.model])
            models.append(answer.model)

    await asyncio.gather(*(work() for _ in range(4)))
    return models


async def fail(server, fault):
    if fault is None:
        await server.aclose()
    else:
        server.default = fault


async def mend(server):
    server.default = "ok"
    await server.aclose()
    await server.open()


async def back(router, model):
    """Waits until a model may be called."""
    async with asyncio.timeout(5.0):
        while model in router._works.availability.unavailable(time.time()):
            await asyncio.sleep(0.01)
