"""`banditroute serve` as a process: how it starts, what signals do, and what it leaves behind."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import openai
import pytest

from banditroute import open_router
from banditroute.testing.faulty_exchange import CONTENT, DONE, ROLE, STOP, TOKENS, USAGE_FRAME, Exchange, frame

SCRIPT = str(Path(sys.executable).parent / "banditroute")
HELLO = [{"role": "user", "content": "hello"}]
STORE = {"kind": "sqlite", "path": "store.db"}
PATIENT = {"whole_s": 30.0, "first_token_s": 30.0, "between_chunks_s": 30.0, "total_s": 60.0}


async def unhurried(exchange: Exchange) -> None:
    """An answer that takes its time."""
    exchange.begin_stream()
    for piece in (ROLE, *CONTENT, STOP, USAGE_FRAME, DONE):
        exchange.piece(piece)
        await asyncio.sleep(0.1)
    exchange.end_stream()


async def endless(exchange: Exchange) -> None:
    """Content as fast as it is read."""
    exchange.begin_stream()
    exchange.piece(ROLE)
    content = frame({"content": "x" * 50_000})
    await exchange.send_endlessly(b"%x\r\n%b\r\n" % (len(content), content))


@asynccontextmanager
async def process(lab, path, *arguments, **variables) -> AsyncIterator[tuple[asyncio.subprocess.Process, str]]:
    """The process, and the URL at which it says that it listens."""
    command = ("serve", "--config", str(path), "--port", "0", "--json", *arguments)
    environ = {"LAB_KEY": "sk-main", "PATH": "/usr/bin:/bin", "OPENBLAS_NUM_THREADS": "1", **variables}
    started = await asyncio.create_subprocess_exec(
        sys.executable, SCRIPT, *command, stdout=PIPE, stderr=PIPE, env=environ, cwd=lab.folder
    )
    try:
        async with asyncio.timeout(30.0):
            line = await started.stdout.readline()
        yield started, json.loads(line)["url"]
    finally:
        if started.returncode is None:
            started.kill()
        await started.communicate()


def client_of(url):
    return openai.AsyncOpenAI(base_url=f"{url}/v1", api_key="any", max_retries=0)


async def test_a_stream_in_flight_is_finished_before_the_process_ends(lab):
    path = lab.write({"small": await lab.server(unhurried)}, store=STORE, timeouts=PATIENT)
    async with process(lab, path) as (started, url), client_of(url) as client, aiohttp.ClientSession() as idle:
        async with idle.get(f"{url}/health/ready") as response:  # a connection that is kept, and idle
            assert response.status == 200
        raw = await client.chat.completions.with_raw_response.create(model="auto", messages=HELLO, stream=True)
        started.send_signal(signal.SIGTERM)
        stream = raw.parse()
        text = "".join([chunk.choices[0].delta.content or "" async for chunk in stream])
        assert text == "".join(TOKENS)
        async with asyncio.timeout(10.0):
            assert await started.wait() == 0
        with pytest.raises(aiohttp.ClientError):
            await idle.get(f"{url}/health/ready")
        async with open_router(path, environ={"LAB_KEY": "sk-main"}) as router:
            trail = await router.explain(raw.headers["x-banditroute-decision-id"])
            assert trail.outcome.ok
            assert await router.learner.store.unsettled() == []


async def test_who_says_nothing_and_who_does_not_read_are_hung_up_on(lab):
    """Here too: the process runs on uvloop where that is installed, whose connections are not asyncio's own."""
    bounds = {"auth": "none", "head_s": 0.3, "unread_s": 0.3}
    server = await lab.server(endless)
    path = lab.write({"small": server}, store=STORE, timeouts=PATIENT, gateway=bounds)
    async with process(lab, path) as (_, url):
        host, port = url.removeprefix("http://").split(":")
        silent, quiet = await asyncio.open_connection(host, int(port))
        async with asyncio.timeout(5.0):
            with contextlib.suppress(ConnectionError):
                assert await silent.read() == b""
        deaf, asking = await asyncio.open_connection(host, int(port))
        body = json.dumps({"messages": HELLO, "stream": True}).encode()
        head = b"POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: %d\r\n\r\n" % len(body)
        asking.write(head + body)
        deaf._transport.pause_reading()
        async with asyncio.timeout(10.0):
            while not server.hung_up_on:
                await asyncio.sleep(0.02)
        for writer in (quiet, asking):
            writer.transport.abort()


@pytest.mark.parametrize("how", ["the time is up", "told twice"])
async def test_what_does_not_end_in_time_is_cut_and_settled(lab, how):
    drain_s = 0.2 if how == "the time is up" else 60.0
    server = await lab.server("stall-between-tokens")
    path = lab.write({"small": server}, store=STORE, timeouts=PATIENT, gateway={"auth": "none", "drain_s": drain_s})
    async with process(lab, path) as (started, url), client_of(url) as client:
        raw = await client.chat.completions.with_raw_response.create(model="auto", messages=HELLO, stream=True)
        started.send_signal(signal.SIGTERM)
        if how == "told twice":
            await asyncio.sleep(0.2)
            started.send_signal(signal.SIGTERM)
        async with asyncio.timeout(10.0):
            assert await started.wait() == 0
        await raw.http_response.aclose()
        async with open_router(path, environ={"LAB_KEY": "sk-main"}) as router:
            outcome = (await router.explain(raw.headers["x-banditroute-decision-id"])).outcome
            assert (outcome.ok, outcome.estimated) == (False, True)


async def test_the_file_is_reloaded_when_told(lab):
    server = await lab.server()
    path = lab.write({"small": server}, store=STORE)
    async with process(lab, path) as (started, url), client_of(url) as client:
        lab.write({"small": server, "fresh": server}, store=STORE)
        started.send_signal(signal.SIGHUP)
        async with asyncio.timeout(10.0):
            while "fresh" not in [model.id async for model in client.models.list()]:
                await asyncio.sleep(0.05)
        path.write_text("nonsense", encoding="utf-8")
        started.send_signal(signal.SIGHUP)
        async with asyncio.timeout(10.0):
            while b"ReloadFailed" not in (line := await started.stderr.readline()):
                assert line
        assert (await client.chat.completions.create(model="fresh", messages=HELLO)).model == "fresh"


async def scraped(url, key=""):
    """The status of a scrape, and what is said of requests."""
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    async with aiohttp.ClientSession() as session, session.get(f"{url}/metrics", headers=headers) as response:
        lines = (await response.text()).splitlines()
    return response.status, [line for line in lines if line.startswith("banditroute_requests_total{")]


async def test_metrics_are_an_admins_to_scrape(lab):
    keys = [{"name": "app", "key_env": "APP"}, {"name": "ops", "key_env": "OPS", "admin": True}]
    models = {"small": await lab.server()}
    path = lab.write(models, store=STORE, **{"gateway": {"auth": "keys"}, "gateway.keys": keys})
    async with process(lab, path, APP="key-of-app", OPS="key-of-ops") as (_, url):
        async with openai.AsyncOpenAI(base_url=f"{url}/v1", api_key="key-of-app", max_retries=0) as client:
            await client.chat.completions.create(model="auto:qa", messages=HELLO)
        assert await scraped(url) == (401, [])
        assert await scraped(url, "key-of-app") == (403, [])
        status, lines = await scraped(url, "key-of-ops")
    assert status == 200
    assert [line.rpartition(" ")[2] for line in lines] == ["1"]


async def test_where_no_key_is_asked_for_whoever_is_here_may_scrape_and_is_told_where_to_look(lab):
    path = lab.write({"small": await lab.server()}, store=STORE)
    command = ("serve", "--config", str(path), "--port", "0")
    started = await asyncio.create_subprocess_exec(
        sys.executable, SCRIPT, *command, stdout=PIPE, env={"LAB_KEY": "sk-main", "OPENBLAS_NUM_THREADS": "1"}
    )
    async with asyncio.timeout(30.0):
        told = [(await started.stdout.readline()).decode().split() for _ in range(2)]
    url = told[0][2]
    assert told[1] == ["dashboard", "at", f"{url}/dashboard"]
    assert (await scraped(url))[0] == 200
    async with aiohttp.ClientSession() as session, session.get(told[1][2]) as page:
        assert page.status == 200
    started.terminate()
    assert await asyncio.wait_for(started.wait(), 10.0) == 0
    await started.communicate()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [(("--host", "0.0.0.0"), "no key would be asked for"), (("--port", "{taken}"), "already in use")],
)
async def test_what_cannot_be_served_is_one_line_and_exit_2(lab, arguments, words):
    server = await lab.server()
    path = lab.write({"small": server})
    taken = server.base_url.rsplit(":", 1)[1].partition("/")[0]
    command = ("serve", "--config", str(path), *(each.format(taken=taken) for each in arguments))
    started = await asyncio.create_subprocess_exec(
        sys.executable, SCRIPT, *command, stdout=PIPE, stderr=PIPE, env={"LAB_KEY": "sk-main"}
    )
    out, err = await asyncio.wait_for(started.communicate(), 30.0)
    assert (started.returncode, out) == (2, b"")
    assert len(err.splitlines()) == 1
    assert words in err.decode()
